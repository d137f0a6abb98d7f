"""The pages that every site of this folder has, with Starlette."""
import asyncio
import contextlib
import pathlib

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.responses import (FileResponse, JSONResponse, PlainTextResponse, RedirectResponse,
                                 StreamingResponse)
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocketDisconnect


@contextlib.asynccontextmanager
async def lifespan(app):
    app.state.pool = 'a pool'
    yield


async def hello(request):
    return PlainTextResponse('hello')


async def item(request):
    return JSONResponse({'id': request.path_params['id'], 'q': request.query_params.get('q'),
                         'pool': request.app.state.pool, 'path': request.url.path})


async def echo(request):
    return JSONResponse(await request.json())


async def upload(request):
    form = await request.form()
    content = await form['file'].read()
    return JSONResponse({'name': form['file'].filename, 'size': len(content), 'title': form['title']})


async def blocks():
    for number in range(3):
        yield f'block {number}\n'
        await asyncio.sleep(0.001)


async def stream(request):
    return StreamingResponse(blocks(), media_type='text/plain')


async def file(request):
    return FileResponse(pathlib.Path(__file__))


async def redirect(request):
    return RedirectResponse('/items/1?q=x', 303)


async def cookie(request):
    response = PlainTextResponse(request.cookies.get('seen', 'nothing'))
    response.set_cookie('seen', 'yes', httponly=True)
    response.set_cookie('other', '1')
    return response


async def background(request):
    return PlainTextResponse('done', background=BackgroundTask(asyncio.sleep, 0.01))


async def fail(request):
    raise ValueError('on purpose')


async def echo_socket(socket):
    """Closes when it is told to."""
    offered = socket.scope['subprotocols']
    await socket.accept('chat' if 'chat' in offered else None)
    try:
        while True:
            message = await socket.receive()
            socket._raise_on_disconnect(message)
            if message.get('text') == 'enough':
                return await socket.close(4001, 'as you like')
            await socket.send({'type': 'websocket.send', 'text': message.get('text'),
                               'bytes': message.get('bytes')})
    except WebSocketDisconnect:
        pass


async def refuse_socket(socket):
    await socket.close()


app = Starlette(lifespan=lifespan, routes=[
    Route('/', hello), Route('/items/{id:int}', item), Route('/echo', echo, methods=['POST']),
    Route('/upload', upload, methods=['POST']), Route('/stream', stream), Route('/file', file),
    Route('/redirect', redirect), Route('/cookie', cookie), Route('/background', background),
    Route('/fail', fail), WebSocketRoute('/socket', echo_socket),
    WebSocketRoute('/refused', refuse_socket)])
