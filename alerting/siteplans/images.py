"""The files of site plans: what is no picture is not kept."""

import hashlib

from alerting.kept_files import KeptFiles, sync
from alerting.siteplans.pictures import recognise
from alerting.siteplans.plans import Image

LARGEST = 10_000_000
"""Bytes of an image [ours]."""


class PlanImages(KeptFiles):
    """The folder. ``open`` first. Everything here blocks: call it in a thread."""

    def keep(self, data: bytes) -> Image:
        """Put an image on disk for good. Raises PictureRefused, OSError; nothing is left behind then."""
        picture = recognise(data)
        image = Image(picture.type, len(data), hashlib.sha256(data).hexdigest(), picture.width, picture.height)
        file, part = self.begin()
        try:
            with file:
                file.write(data)
                sync(file)
            self.place(part, image.sha256)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        return image
