"""What is in a text (and in an image): views, detectors in order, the classifier. Text in, findings out."""
