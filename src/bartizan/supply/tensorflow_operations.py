"""Which TensorFlow operations act on the world, which save a model, and which only compute. Names are exact.

Source: the operation's own description in TensorFlow's registry. An operation on no list is for a person to review.
"""

_READS = "reads files"
_WRITES = "writes files"
_NETWORK = "opens network connections"
_CODE = "runs code that is not in the graph"


def _each(names: str, why: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), why)


BLOCKED: dict[str, str] = {
    **_each(
        "ReadFile MatchingFiles WholeFileReader WholeFileReaderV2 TextLineReader TextLineReaderV2 TFRecordReader "
        "TFRecordReaderV2 FixedLengthRecordReader FixedLengthRecordReaderV2 LMDBReader ReaderRead ReaderReadV2 "
        "ReaderReadUpTo ReaderReadUpToV2 IdentityReader IdentityReaderV2 TextLineDataset TFRecordDataset "
        "TFRecordDatasetV2 FixedLengthRecordDataset FixedLengthRecordDatasetV2 LMDBDataset SqlDataset CSVDataset "
        "CSVDatasetV2 ExperimentalCSVDataset ExperimentalLMDBDataset ExperimentalSqlDataset MatchingFilesDataset "
        "ExperimentalMatchingFilesDataset LoadDataset LoadDatasetV2 ListSnapshotChunksDataset SnapshotChunkDataset "
        "SnapshotDatasetReader SnapshotNestedDatasetReader ImmutableConst InitializeTableFromTextFile "
        "InitializeTableFromTextFileV2 LoadAndRemapMatrix GenerateVocabRemapping "
        "CheckpointExists FileSystemSetConfiguration CacheDataset CacheDatasetV2 Skipgram ",
        _READS,
    ),
    **_each(
        "WriteFile SaveDataset SaveDatasetV2 SnapshotDataset SnapshotDatasetV2 DatasetToTFRecord "
        "ExperimentalDatasetToTFRecord DeleteCheckpoint PrintV2 DebugIdentity DebugIdentityV2 DebugIdentityV3 "
        "DebugNanCount DebugNumericSummary DebugNumericSummaryV2 CreateSummaryFileWriter CreateSummaryDbWriter "
        "ImportEvent WriteSummary WriteScalarSummary WriteRawProtoSummary WriteGraphSummary "
        "WriteHistogramSummary WriteImageSummary WriteAudioSummary ",
        _WRITES,
    ),
    **_each(
        "DataServiceDataset DataServiceDatasetV2 DataServiceDatasetV3 DataServiceDatasetV4 RegisterDataset "
        "RegisterDatasetV2 RpcCall RpcClient "
        "RpcServer RpcServerStart RpcServerRegister DeleteRpcFutureResource RpcGetValue "
        "ConfigureDistributedTPU ConfigureAndInitializeGlobalTPU CollectiveInitializeCommunicator",
        _NETWORK,
    ),
    **_each(
        "PyFunc PyFuncStateless EagerPyFunc TPUCompile XlaLaunch ",
        _CODE,
    ),
}

SAVING = frozenset(
    _each(
        "Save SaveSlices SaveV2 Restore RestoreSlice RestoreV2 MergeV2Checkpoints ShardedFilename ShardedFilespec", ""
    )
)
"""How every SavedModel stores its variables; ordinary with the saver's file name only."""

ORDINARY = frozenset(
    _each(
        """
        Abs Acos Acosh Add AddN AddV2 AdjustContrast AdjustContrastv2 AdjustHue AdjustSaturation All Any
        ApproximateEqual ArgMax ArgMin AsString Asin Asinh Assert AssignAddVariableOp AssignSubVariableOp
        AssignVariableOp Assign AssignAdd AssignSub Atan Atan2 Atanh AvgPool AvgPool3D AvgPoolGrad BatchMatMul
        BatchMatMulV2 BatchMatMulV3 BatchToSpace BatchToSpaceND Betainc BiasAdd BiasAddGrad BiasAddV1 Bincount
        Bitcast BitwiseAnd BitwiseOr BitwiseXor BroadcastArgs BroadcastGradientArgs BroadcastTo Bucketize Case
        Cast Ceil CheckNumerics Cholesky ClipByValue CombinedNonMaxSuppression Complex ComplexAbs Concat
        ConcatOffset ConcatV2 Conj Const ControlTrigger Conv2D Conv2DBackpropFilter Conv2DBackpropInput Conv3D
        Conv3DBackpropInputV2 Cos Cosh CropAndResize Cross CudnnRNN CudnnRNNV2 CudnnRNNV3 Cumprod Cumsum
        DataFormatDimMap DecodeBase64 DecodeBmp DecodeGif DecodeImage DecodeJpeg DecodePng DecodeRaw DecodeWav
        DenseBincount DepthToSpace DepthwiseConv2dNative Dequantize DestroyResourceOp Diag DiagPart Digamma
        DisableCopyOnRead Div
        DivNoNan DynamicPartition DynamicStitch EditDistance Einsum Elu EluGrad Empty EncodeBase64 EncodeJpeg
        EncodePng EnsureShape Enter Equal Erf Erfc Erfinv Exit Exp ExpandDims Expm1 ExtractImagePatches FFT
        FFT2D FakeQuantWithMinMaxArgs FakeQuantWithMinMaxVars Fill Floor FloorDiv FloorMod FusedBatchNorm
        FusedBatchNormV2 FusedBatchNormV3 Gather GatherNd GatherV2 Greater GreaterEqual HashTable HashTableV2
        HistogramFixedWidth HistogramSummary IFFT IFFT2D IRFFT IRFFT2D Identity IdentityN If Igamma Imag
        ImageProjectiveTransformV2 ImageProjectiveTransformV3 InTopK InTopKV2
        InvertPermutation InitializeTable InitializeTableV2 IsFinite IsInf IsNan IsVariableInitialized L2Loss
        LRN LeakyRelu LeftShift Less LessEqual Lgamma LinSpace Log Log1p LogMatrixDeterminant LogSoftmax
        LogicalAnd LogicalNot LogicalOr LookupTableExport LookupTableExportV2 LookupTableFind LookupTableFindV2
        LookupTableImport LookupTableImportV2 LookupTableInsertV2 LookupTableSize LookupTableSizeV2 LoopCond
        LowerBound MatMul MatrixBandPart MatrixDeterminant MatrixDiag MatrixDiagPart MatrixDiagPartV3
        MatrixDiagV3 MatrixInverse MatrixSetDiag MatrixSetDiagV3 MatrixSolve MatrixTriangularSolve Max MaxPool
        MaxPool3D MaxPoolV2 Maximum Mean Merge Mfcc MergeSummary Min Minimum MirrorPad Mod Mul MulNoNan
        Multinomial
        MutableDenseHashTableV2 MutableHashTable MutableHashTableV2 Neg NextIteration NoOp NonMaxSuppression
        NonMaxSuppressionV2 NonMaxSuppressionV3 NonMaxSuppressionV4 NonMaxSuppressionV5 NotEqual OneHot OnesLike
        OptionalFromValue OptionalGetValue OptionalHasValue OptionalNone
        Pack Pad PadV2 ParallelConcat ParallelDynamicStitch ParseExample ParseExampleV2 ParseSingleExample
        ParseTensor PartitionedCall Placeholder PlaceholderV2 PlaceholderWithDefault Polygamma Pow
        PreventGradient Prod Qr QuantizeAndDequantizeV2 QuantizeAndDequantizeV4 QuantizeV2 RFFT RFFT2D
        RaggedGather RaggedRange RaggedTensorFromVariant RaggedTensorToSparse RaggedTensorToTensor
        RaggedTensorToVariant RandomNormal RandomShuffle RandomStandardNormal RandomUniform RandomUniformInt
        Range Rank ReadVariableOp Real RealDiv Reciprocal RecordInput RefEnter RefExit RefIdentity RefMerge
        RefSwitch RegexFullMatch RegexReplace Relu Relu6 Relu6Grad ReluGrad Reshape ResizeArea ResizeBicubic
        ResizeBilinear ResizeNearestNeighbor ResourceApplyAdam ResourceApplyGradientDescent ResourceGather
        ResourceGatherNd ResourceScatterAdd ResourceScatterUpdate Reverse ReverseSequence ReverseV2 RightShift
        Rint Roll Round Rsqrt RsqrtGrad ScalarSummary ScaleAndTranslate ScatterNd SegmentMax SegmentMean
        SegmentMin SegmentProd SegmentSum Select SelectV2 SelfAdjointEigV2 Selu Shape ShapeN Sigmoid SigmoidGrad
        Sign Sin Sinh Size Slice Snapshot Softmax SoftmaxCrossEntropyWithLogits Softplus Softsign SpaceToBatch
        SpaceToBatchND SpaceToDepth SparseAdd SparseConcat SparseCross SparseCrossHashed SparseFillEmptyRows
        SparseReduceSum SparseReorder SparseReshape SparseSegmentMean SparseSegmentSqrtN SparseSegmentSum
        SparseSlice SparseSoftmaxCrossEntropyWithLogits SparseTensorDenseMatMul SparseToDense Split SplitV Sqrt
        SqrtGrad Square SquaredDifference Squeeze StackPopV2 StackPushV2 StackV2 StatefulPartitionedCall
        StatelessCase StatelessIf StatelessRandomGetKeyCounter StatelessRandomNormal StatelessRandomNormalV2
        StatelessRandomUniform StatelessRandomUniformFullInt StatelessRandomUniformV2 StatelessWhile
        StaticRegexFullMatch StaticRegexReplace StopGradient StridedSlice StridedSliceGrad StringFormat
        StringJoin StringLength StringLower StringNGrams StringSplit StringSplitV2 StringStrip
        StringToHashBucket StringToHashBucketFast StringToHashBucketStrong StringToNumber StringUpper Sub Substr
        Sum Svd Switch Tan Tanh TanhGrad TensorArrayCloseV3 TensorArrayConcatV3 TensorArrayGatherV3
        TensorArrayReadV3 TensorArrayScatterV3 TensorArraySizeV3 TensorArraySplitV3 TensorArrayV3
        TensorArrayWriteV3 TensorListConcatV2 TensorListElementShape TensorListFromTensor TensorListGather
        TensorListGetItem TensorListLength TensorListPopBack TensorListPushBack TensorListReserve
        TensorListResize TensorListScatterIntoExistingList TensorListScatterV2 TensorListSetItem TensorListSplit
        TensorListStack TensorScatterAdd TensorScatterMax TensorScatterMin TensorScatterSub TensorScatterUpdate
        TensorStridedSliceUpdate TensorSummary TensorSummaryV2
        Tile Timestamp TopK TopKV2 Transpose TridiagonalSolve TruncateDiv TruncateMod
        TruncatedNormal UnicodeDecode UnicodeDecodeWithOffsets UnicodeEncode UnicodeTranscode Unique UniqueV2
        UniqueWithCounts UniqueWithCountsV2 Unpack UnravelIndex UnsortedSegmentMax UnsortedSegmentMean
        UnsortedSegmentMin UnsortedSegmentProd UnsortedSegmentSum UpperBound VarHandleOp VarIsInitializedOp
        Variable VariableShape VariableV2 Where While Xdivy Xlog1py Xlogy ZerosLike Zeta
        """,
        "",
    )
)
"""Operations that compute on tensors of the graph and nothing else."""
