"""One file per payload format. ``CODECS`` names them for the site file's ``format``."""

from ingest.codecs.anshao import AnshaoCodec
from ingest.codecs.protocol import Codec

CODECS: dict[str, Codec] = {"anshao": AnshaoCodec()}
