"""What an installation decides, read from the environment once, at the start."""

from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeVar

from core.errors import LaurelError
from graph.limits.bounds import ALL, NONE, STAFF_ONLY, Bounds, read_costs, read_rates

SECRET_BYTES_MIN: Final = 32
"""RFC 7518: a key for HS256 is as long as its hash."""

PASSWORD_MIN: Final = 16

LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
"""The names of this machine, by which no other machine reaches it."""

CLAIMS: Final = ("role", "member", "external_id", "channels", "capabilities")
"""What a token says of its bearer, beside who they are and when it ends."""

T = TypeVar("T", str, str | None)

BATCH_MAX: Final = 10
"""Requests that may come as one list: more would be one client in the way of all others."""

_INCOMING_BYTES_MIN: Final = 24
_YES = frozenset({"1", "true", "yes", "on"})
_NO = frozenset({"0", "false", "no", "off", ""})


class Subgraph(NamedTuple):
    """How the schema is one of several of a federated one: whose router it answers, and whether it has ``node``.

    Of all subgraphs one may offer ``node`` and ``nodes``; elsewhere they are left out.
    """

    router_secret: str = ""
    owns_node: bool = False


class SettingsInvalid(LaurelError):
    """A variable of the environment says something that cannot be meant."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of one process.

    ``secret`` signs the tokens, and ``jwks`` is where the keys of a company's own tokens are: an address or a file.
    Those are of ``issuer`` and for ``audience``, and ``claims`` says what they call what ours call ``role``,
    ``member`` and so on. Without a secret or such keys nothing is served. ``live`` says that the points are worth
    something: the page for operators then asks before it moves any, and is served only if ``graphiql`` says so, as the
    member centre is only if ``centre`` does. ``samples`` are external ids of members whom anybody on this machine may
    be there.
    ``introspection`` says who may ask for the schema: ``all``, ``staff`` or ``none``. ``limits`` bound what is
    asked for; rates are counted in ``redis_url``, or in each process by itself. ``http_status`` is ``compat`` or
    ``draft``: the statuses that clients of today expect, or those of the newest draft of GraphQL over HTTP.
    ``origins`` are the sites besides this one whose pages may open a WebSocket. ``carries`` tells other processes
    of the database of changes, for their subscriptions. ``batch_max`` is how many requests may come as one list,
    none if 0. Of the manifests ``trusted_documents`` the documents are known by their ids: ``trusted_mode`` allows
    them, or requires one of them. With ``plans`` what is asked again is answered by what was compiled of
    them. ``jobs`` are run by the server itself. ``incoming`` are the systems that may send messages to
    ``/incoming/<source>``, with their secrets. ``log_level`` info logs every request, and what takes longer than
    ``slow_ms`` is a warning. ``metrics_token`` is what Prometheus says to be shown ``/metrics``, which is not there
    without one; ``traces`` lets OpenTelemetry collect spans. ``variables`` are all whose names begin with
    ``LAUREL_``. ``subgraph`` is set where the schema is part of a federated one. With ``publish_by_two`` nobody
    publishes a programme over the API alone.
    """

    database_url: str = "sqlite://laurel.sqlite3"
    secret: str = ""
    jwks: str = ""
    issuer: str = ""
    audience: str = ""
    claims: Mapping[str, str] = field(default_factory=dict)
    host: str = "127.0.0.1"
    port: int = 8000
    live: bool = True
    graphiql: bool | None = None
    centre: bool | None = None
    samples: Sequence[str] = ()
    introspection: str | None = None
    limits: Bounds = field(default_factory=Bounds)
    redis_url: str = ""
    cost_reported: bool = True
    plans: bool = True
    disabled_plugins: frozenset[str] = frozenset()
    body_bytes_max: int = 1_000_000
    http_status: str = "compat"
    log_format: str = "console"
    log_level: str = "warning"
    slow_ms: int = 1_000
    metrics_token: str = field(default="", repr=False)
    traces: bool = False
    jobs: bool = True
    publish_by_two: bool = False
    subgraph: Subgraph | None = field(default=None, repr=False)
    origins: frozenset[str] = frozenset()
    carries: bool = False
    batch_max: int = 0
    trusted_documents: str = ""
    trusted_mode: str = "off"

    incoming: Mapping[str, Sequence[str]] = field(default_factory=dict, repr=False)
    variables: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

    def of_plugin(self, plugin: str) -> dict[str, str]:
        """What the installation decides for a plugin: ``LAUREL_<PLUGIN>_<OPTION>``, by the option in lower case."""
        prefix = f"LAUREL_{plugin.upper()}_"
        found = (name for name in self.variables if name.startswith(prefix))
        return {name.removeprefix(prefix).lower(): self.variables[name] for name in found}

    @property
    def serves_graphiql(self) -> bool:
        """Whether there is a page for operators: where nothing says so, only if the programme is not live."""
        return not self.live if self.graphiql is None else self.graphiql

    @property
    def serves_centre(self) -> bool:
        """Whether there is a member centre: where nothing says so, only if the programme is not live."""
        return not self.live if self.centre is None else self.centre

    @property
    def sample_members(self) -> Sequence[str]:
        """Whom anybody may be: nobody where points are worth something, nor where other machines can ask."""
        return () if self.live or not self.secret or self.host not in LOOPBACK else self.samples

    @property
    def introspected_by(self) -> str:
        """Who may ask for the schema: where nothing says so, staff alone if the programme is live."""
        return self.introspection or (STAFF_ONLY if self.live else ALL)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "Settings":
        """Read ``LAUREL_DATABASE_URL``, ``LAUREL_SECRET``, ``LAUREL_GRAPHIQL`` and so on. Raises SettingsInvalid."""
        usual = cls()
        secret = environ.get("LAUREL_SECRET", usual.secret)
        if secret and len(secret.encode()) < SECRET_BYTES_MIN:
            raise SettingsInvalid(f"LAUREL_SECRET is shorter than {SECRET_BYTES_MIN} bytes")
        jwks = environ.get("LAUREL_JWKS_URL", usual.jwks)
        issuer, audience = environ.get("LAUREL_ISSUER", ""), environ.get("LAUREL_AUDIENCE", "")
        if jwks and not (issuer and audience):
            # The keys of a company sign for all that it runs: only these two say that a token is meant for here.
            raise SettingsInvalid("LAUREL_JWKS_URL needs LAUREL_ISSUER and LAUREL_AUDIENCE beside it")
        trusted = environ.get("LAUREL_TRUSTED_DOCUMENTS", usual.trusted_documents)
        modes = ("allow", "require", "off") if trusted else ("off",)
        names = environ.get("LAUREL_DISABLED_PLUGINS", "").replace(",", " ").split()
        return cls(
            database_url=environ.get("LAUREL_DATABASE_URL", usual.database_url),
            secret=secret,
            jwks=jwks,
            issuer=issuer,
            audience=audience,
            claims=_pairs(environ, "LAUREL_CLAIMS", CLAIMS),
            host=environ.get("LAUREL_HOST", usual.host),
            port=_number(environ, "LAUREL_PORT", usual.port),
            live=_choice(environ, "LAUREL_LIVE", usual.live),
            graphiql=_choice(environ, "LAUREL_GRAPHIQL", False) if "LAUREL_GRAPHIQL" in environ else None,
            centre=_choice(environ, "LAUREL_CENTRE", False) if "LAUREL_CENTRE" in environ else None,
            samples=_samples(environ),
            introspection=_one_of(environ, "LAUREL_INTROSPECTION", (None, ALL, STAFF_ONLY, NONE)),
            limits=_bounds(environ),
            redis_url=environ.get("LAUREL_REDIS_URL", usual.redis_url),
            cost_reported=_choice(environ, "LAUREL_COST_REPORTED", usual.cost_reported),
            plans=_choice(environ, "LAUREL_PLANS", usual.plans),
            disabled_plugins=frozenset(names),
            body_bytes_max=_number(environ, "LAUREL_BODY_BYTES_MAX", usual.body_bytes_max),
            incoming=_secrets(environ, "LAUREL_INCOMING_SECRETS"),
            variables={name: value for name, value in environ.items() if name.startswith("LAUREL_")},
            carries=_choice(environ, "LAUREL_CARRY_CHANGES", usual.carries),
            batch_max=_number(environ, "LAUREL_BATCH_MAX", usual.batch_max, most=BATCH_MAX),
            trusted_documents=trusted,
            trusted_mode=_one_of(environ, "LAUREL_TRUSTED_MODE", modes),
            origins=frozenset(environ.get("LAUREL_ORIGINS", "").replace(",", " ").split()),
            jobs=_choice(environ, "LAUREL_JOBS", usual.jobs),
            publish_by_two=_choice(environ, "LAUREL_PUBLISH_BY_TWO", usual.publish_by_two),
            http_status=_one_of(environ, "LAUREL_HTTP_STATUS", ("compat", "draft")),
            log_format=_one_of(environ, "LAUREL_LOG_FORMAT", ("console", "json")),
            log_level=_one_of(environ, "LAUREL_LOG_LEVEL", ("warning", "info", "error")),
            slow_ms=_number(environ, "LAUREL_SLOW_MS", usual.slow_ms),
            metrics_token=_long(environ, "LAUREL_METRICS_TOKEN"),
            traces=_choice(environ, "LAUREL_TRACES", usual.traces),
            subgraph=_subgraph(environ),
        )


def _samples(environ: Mapping[str, str]) -> Sequence[str]:
    names = tuple(environ.get("LAUREL_SAMPLE_MEMBERS", "").replace(",", " ").split())
    if names and _choice(environ, "LAUREL_LIVE", False):
        raise SettingsInvalid("LAUREL_LIVE is yes, and LAUREL_SAMPLE_MEMBERS would let anybody be one of its members")
    return names


def _subgraph(environ: Mapping[str, str]) -> Subgraph | None:
    if _one_of(environ, "LAUREL_FEDERATION", ("standalone", "subgraph")) == "standalone":
        return None
    secret = _long(environ, "LAUREL_ROUTER_SECRET")
    if not secret:
        # Without it anybody could pass for the router, and the router could ask for nothing.
        raise SettingsInvalid("LAUREL_FEDERATION=subgraph needs LAUREL_ROUTER_SECRET beside it")
    return Subgraph(secret, _choice(environ, "LAUREL_FEDERATION_NODE", False))


def _long(environ: Mapping[str, str], name: str) -> str:
    """A secret that nobody guesses; nothing when there is none."""
    given = environ.get(name, "")
    if given and not (given.isascii() and len(given) >= PASSWORD_MIN):
        raise SettingsInvalid(f"{name} has fewer than {PASSWORD_MIN} characters, or others than of ASCII")
    return given


def _choice(environ: Mapping[str, str], name: str, usual: bool) -> bool:
    given = environ.get(name)
    if given is None:
        return usual
    if given.lower() not in _YES | _NO:
        raise SettingsInvalid(f"{name} is yes or no, not {given!r}")
    return given.lower() in _YES


def _secrets(environ: Mapping[str, str], name: str) -> dict[str, list[str]]:
    """``shop:whsec_… till:whsec_…``: the secrets of each source; one that is named twice is just being rotated."""
    found: dict[str, list[str]] = {}
    for one in environ.get(name, "").replace(",", " ").split():
        source, _, secret = one.partition(":")
        try:
            key = b64decode(secret.removeprefix("whsec_"), validate=True)
        except ValueError:
            key = b""
        if not source or not secret.startswith("whsec_") or len(key) < _INCOMING_BYTES_MIN:
            raise SettingsInvalid(f"{name} is a list of source:whsec_…, each with 24 bytes in base64 or more")
        found.setdefault(source, []).append(secret)
    return found


def _one_of(environ: Mapping[str, str], name: str, choices: Sequence[T]) -> T:
    """The choice that was made; the first one when none was."""
    given = environ.get(name, choices[0])
    for choice in choices:
        if choice == given:
            return choice
    raise SettingsInvalid(f"{name} is one of {', '.join(filter(None, choices))}, not {given!r}")


def _pairs(environ: Mapping[str, str], name: str, known: Sequence[str]) -> dict[str, str]:
    """What was given as ``role=groups member=customer``."""
    pairs = [pair.partition("=") for pair in environ.get(name, "").replace(",", " ").split()]
    for ours, _, theirs in pairs:
        if ours not in known or not theirs:
            raise SettingsInvalid(f"{name} is pairs like role=groups, with {', '.join(known)} on their left")
    return {ours: theirs for ours, _, theirs in pairs}


def _bounds(environ: Mapping[str, str]) -> Bounds:
    numbers = {name: _number(environ, f"LAUREL_{name.upper()}", usual) for name, usual in Bounds.numbers().items()}
    try:
        costs = read_costs(environ.get("LAUREL_COSTS", ""))
    except ValueError as error:
        raise SettingsInvalid(f"LAUREL_COSTS: {error}") from error
    try:
        rates = read_rates(environ.get("LAUREL_RATES", ""))
    except ValueError as error:
        raise SettingsInvalid(f"LAUREL_RATES: {error}") from error
    return Bounds(**numbers, costs=costs, rates=rates)


def _number(environ: Mapping[str, str], name: str, usual: int, *, most: int | None = None) -> int:
    given = environ.get(name)
    if given is None:
        return usual
    if not (given.isascii() and given.isdigit()):
        raise SettingsInvalid(f"{name} is a number, not {given!r}")
    if most is not None and int(given) > most:
        raise SettingsInvalid(f"{name} is at most {most}, not {given}")
    return int(given)
