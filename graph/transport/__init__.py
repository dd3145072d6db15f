"""GraphQL as clients send it: over HTTP, as a stream of server-sent events, and over a WebSocket.

::

    negotiation    what the client accepts
    requests       what a request asks
    documents      its document, parsed and validated once
    execution      the one way in which every request is executed, whatever brought it
    failures       what is answered when that does not succeed
    http  sse  websocket    how it comes and goes
    connections    what must hold before there is a request
"""
