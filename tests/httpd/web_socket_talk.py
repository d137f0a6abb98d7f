"""Talks to the sockets of starlette_site.py at that port with python3-websockets, and says how that went."""

import asyncio
import sys

import websockets


async def talk(url):
    async with websockets.connect(url + '/socket', subprotocols=['other', 'chat']) as socket:
        print('subprotocol', socket.subprotocol)
        for message in ('text', '\u00e4\U0001f600', '', b'bytes', b'', 'x' * 100_000, bytes(1_000_000)):
            await socket.send(message)
            print('the same', await socket.recv() == message)
        await socket.send(['in ', 'fragments'])
        print(await socket.recv())
        await (await socket.ping('are you there'))
        print('pong')
    print('closed with', socket.close_code, socket.close_reason)
    async with websockets.connect(url + '/socket') as socket:
        print('subprotocol', socket.subprotocol)
        await socket.send('enough')
        try:
            await socket.recv()
        except websockets.ConnectionClosed as closed:
            print('closed by it with', closed.code, closed.reason)
    for path in '/refused', '/nowhere':
        try:
            await websockets.connect(url + path)
        except websockets.InvalidStatusCode as refused:
            print('refused with', refused.status_code)


asyncio.run(talk(f'ws://127.0.0.1:{sys.argv[1]}'))
