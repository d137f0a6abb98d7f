"""Echoes what WebSockets send; "to all N" sends a message to each of them, N times."""

import asyncio

sockets = set()
MESSAGE = "x" * 64


async def application(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200})
        return await send({"type": "http.response.body", "body": b"%d" % len(sockets)})
    await receive()
    await send({"type": "websocket.accept"})
    sockets.add(send)
    try:
        while True:
            event = await receive()
            if event["type"] == "websocket.disconnect":
                return
            text = event.get("text")
            if text is None or not text.startswith("to all "):
                await send({**event, "type": "websocket.send"})
                continue
            for _ in range(int(text[7:])):
                sent = [each({"type": "websocket.send", "text": MESSAGE}) for each in sockets]
                await asyncio.gather(*sent)
    finally:
        sockets.discard(send)
