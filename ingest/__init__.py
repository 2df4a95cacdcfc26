"""From the broker to blocks of samples: links, codecs, validation, batching."""
