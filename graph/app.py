"""The HTTP application: GraphQL, the page for operators, and two questions for whoever watches over the process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from core.clock import Clock
from graph.graphiql_page import graphiql_routes
from graph.laurel import open_laurel
from graph.schema import build_schema
from graph.settings import Settings, SettingsInvalid
from graph.transport.execution import Engine
from graph.transport.http import HttpView
from graph.transport.websocket import WebSockets
from plugins.manager import Plugins, load_plugins


def create_app(settings: Settings, *, plugins: Plugins | None = None, clock: Clock | None = None) -> Starlette:
    """The application. It opens its database when it starts, and finishes what it has accepted when it stops.

    Raises SettingsInvalid without anything to check a token with.
    """
    if not (settings.secret or settings.jwks):
        raise SettingsInvalid("LAUREL_SECRET is not set, nor LAUREL_JWKS_URL: without them no token can be checked")
    plugins = plugins or load_plugins(settings.disabled_plugins)
    engine = Engine(build_schema(plugins), settings)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with open_laurel(settings, plugins=plugins, clock=clock) as laurel:
            engine.laurel = app.state.laurel = laurel
            try:
                async with laurel.jobs if settings.jobs else nullcontext():
                    yield
            finally:
                engine.laurel = None

    async def live(request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def ready(request: Request) -> Response:
        laurel = engine.laurel
        try:
            if laurel is None:
                return JSONResponse({"status": "not started"}, 503)
            await laurel.store.reader().query("SELECT 1")
        except Exception as error:  # whatever it is, the answer is that it is not ready
            return JSONResponse({"status": f"the database does not answer: {type(error).__name__}"}, 503)
        return JSONResponse({"status": "ok", "waiting": laurel.committer.waiting})

    routes: list[BaseRoute] = [
        Route("/graphql", HttpView(engine)),
        WebSocketRoute("/graphql", WebSockets(engine)),
        Route("/health/live", live),
        Route("/health/ready", ready),
    ]
    if settings.serves_graphiql:
        routes += graphiql_routes(settings)
    return Starlette(routes=routes, lifespan=lifespan)
