"""The parameters of an API request, checked the way MediaWiki checks them.

What nobody reads is reported as "Unrecognized parameter", which is how a client's spelling mistake
shows on a real wiki too.
"""

from collections.abc import Mapping


class ApiError(Exception):
    """An error answer of the API: code, text, further members, HTTP headers."""

    def __init__(
        self,
        code: str,
        info: str,
        more: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ):
        super().__init__(info)
        self.code, self.info = code, info
        self.more, self.headers = dict(more or {}), dict(headers or {})


class Parameters:
    """The parameters of one request; remembers what was read and what was wrong."""

    def __init__(self, given: Mapping[str, str]):
        self._given = given
        self._seen: set[str] = set()
        self.warnings: dict[str, list[str]] = {}  # by module

    def read(self, *names: str) -> None:
        """Count these as recognized."""
        self._seen.update(names)

    def get(self, name: str, default: str | None = None) -> str | None:
        """The value as given."""
        self._seen.add(name)
        return self._given.get(name, default)

    def flag(self, name: str) -> bool:
        """A boolean parameter is true when it is there at all."""
        return self.get(name) is not None

    def integer(self, name: str) -> int | None:
        """A whole number. Raises ApiError badinteger."""
        value = self.get(name)
        try:
            return None if value is None else int(value)
        except ValueError:
            what = f'Invalid value "{value}" for integer parameter "{name}".'
            raise ApiError("badinteger", what) from None

    def values(self, name: str, default: str = "", limit: int = 50) -> list[str]:
        """A list separated by "|". Raises ApiError toomanyvalues."""
        value = self.get(name, default) or ""
        found = [part for part in value.split("|") if part]
        if len(found) > limit:
            what = f'Too many values supplied for parameter "{name}". The limit is {limit}.'
            more = {"limit": limit, "lowlimit": 50, "highlimit": 500}
            raise ApiError("toomanyvalues", what, more)
        return found

    def limit(self, name: str, module: str, cap: int) -> int:
        """A listing's limit: 10 unless told, at most 500, and never more than `cap`."""
        if self.get(name) == "max":
            return cap
        wanted = self.integer(name)
        if wanted is not None and not 1 <= wanted <= 500:
            self.warn(
                module, f'The value "{wanted}" for parameter "{name}" must be between 1 and 500.'
            )
        return min(max(10 if wanted is None else wanted, 1), 500, cap)

    def warn(self, module: str, text: str) -> None:
        """Add a warning of a module."""
        self.warnings.setdefault(module, []).append(text)

    def note_unread(self) -> None:
        """Warn of the parameters that nothing has asked for."""
        unread = [name for name in self._given if name not in self._seen]
        if unread:
            plural = "s" if len(unread) > 1 else ""
            self.warn("main", f"Unrecognized parameter{plural}: {', '.join(unread)}.")
