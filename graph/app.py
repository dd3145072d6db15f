"""The HTTP application: GraphQL, the pages, what other systems send, and what watches over the process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from core.time.clock import Clock
from graph.broker.listening import listening
from graph.centre_page import centre_routes
from graph.dashboard_page import dashboard_routes
from graph.graphiql_page import graphiql_routes
from graph.incoming.signed import receive
from graph.laurel import open_laurel
from graph.observing.health import health_routes
from graph.observing.metrics import metrics_page
from graph.observing.observer import Observer, Watched
from graph.rules_page import rules_routes
from graph.schema import LaurelSchema, build_schema
from graph.settings import Settings, SettingsInvalid
from graph.transport.execution import Engine
from graph.transport.http import HttpView
from graph.transport.websocket import WebSockets
from plugins.manager import Plugins, load_plugins

GRAPHQL: Final = "/graphql"

BATCHES: Final = 3
"""Batches under way at once: requests are answered and a batch is performed while the database has others."""


class _Application(Starlette):
    """Starlette, whose layers are passed by what is asked most: GraphQL over HTTP answers all errors itself."""

    graphql: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == GRAPHQL:
            await self.graphql(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def create_app(
    settings: Settings,
    *,
    plugins: Plugins | None = None,
    clock: Clock | None = None,
    schema: LaurelSchema | None = None,
) -> Starlette:
    """The application. It opens its database when it starts, and finishes what it has accepted when it stops.

    A ``schema`` that was built of the plugins can serve several applications. Raises SettingsInvalid without anything
    to check a token with.
    """
    if not (settings.secret or settings.jwks):
        raise SettingsInvalid("LAUREL_SECRET is not set, nor LAUREL_JWKS_URL: without them no token can be checked")
    plugins = plugins or load_plugins(settings.disabled_plugins)
    engine = Engine(schema or build_schema(plugins, settings.subgraph), settings)
    observer = engine.observer = Observer.of(settings)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with open_laurel(settings, plugins=plugins, clock=clock, at_once=BATCHES) as laurel, listening(laurel):
            engine.laurel = app.state.laurel = laurel
            try:
                with observer.watching(laurel) if observer is not None else nullcontext():
                    async with laurel.jobs if settings.jobs else nullcontext():
                        yield
            finally:
                engine.laurel = None
                await engine.rates.aclose()

    async def incoming(request: Request) -> Response:
        assert engine.laurel is not None, "requests come after the start"
        return await receive(request, engine.laurel)

    view: ASGIApp = HttpView(engine)
    routes: list[BaseRoute] = [
        Route("/incoming/{source}", incoming, methods=["POST"]),
        Route(GRAPHQL, view),
        WebSocketRoute(GRAPHQL, WebSockets(engine)),
        *health_routes(lambda: engine.laurel),
        *rules_routes(lambda: engine.laurel),
        *dashboard_routes(),
    ]
    if observer is not None and observer.metrics is not None:
        routes.append(Route("/metrics", metrics_page(observer.metrics, settings.metrics_token)))
    if settings.serves_graphiql:
        routes += graphiql_routes(settings)
    if settings.serves_centre:
        routes += centre_routes(settings, lambda: engine.laurel)
    watching = [Middleware(Watched, observer=observer)] if observer is not None else []
    app = _Application(routes=routes, lifespan=lifespan, middleware=watching)
    app.graphql = view if observer is None else Watched(view, observer)
    app.state.end_streams = engine.stopping.set
    return app
