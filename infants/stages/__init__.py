"""The stages that `infants` owns: upload, segment, embed."""
