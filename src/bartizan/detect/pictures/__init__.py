"""Words in pictures: decoded and read by a local OCR, in a process that can do nothing else. Bytes in, words out."""
