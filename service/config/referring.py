"""A rule of a tag that refers to other tags, conditions or modes."""

from dataclasses import dataclass

from service.config.attributes import Attributes
from service.config.drafts import Origin


@dataclass(frozen=True, slots=True)
class Referring:
    """A rule of a tag that refers to tags, conditions or modes."""

    row: int
    """Of the rule, among all rules of the site."""
    tag: int
    tag_path: str
    enterprise: str
    unit: str
    key: str
    attributes: Attributes
    origin: Origin
    draft: int
    field: str

    @property
    def path(self) -> str:
        """Path of its condition."""
        return f"{self.tag_path}/{self.key}"

    def fault(self, name: str, message: str, remedy: str) -> None:
        """Report a fault of one of its fields."""
        self.origin.fault(self.draft, f"{self.field}.{name}" if name else self.field, message, remedy)
