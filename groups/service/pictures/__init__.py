"""Redrawing of uploaded pictures in worker processes, and the users' turns at them."""

from groups.service.pictures.service import FORMATS, THUMBNAIL_TYPE, PictureWorkers

__all__ = ["FORMATS", "THUMBNAIL_TYPE", "PictureWorkers"]
