"""The pages that every site of this folder has, with FastAPI."""
import asyncio
import pathlib

from fastapi import BackgroundTasks, Cookie, FastAPI, File, Form, Request, Response, UploadFile
from fastapi.responses import FileResponse, PlainTextResponse, RedirectResponse, StreamingResponse
from pydantic import BaseModel

app = FastAPI()


@app.on_event('startup')
async def start():
    app.state.pool = 'a pool'


@app.get('/', response_class=PlainTextResponse)
async def hello():
    return 'hello'


@app.get('/items/{id}')
def item(id: int, request: Request, q: str = None):
    return {'id': id, 'q': q, 'pool': app.state.pool, 'path': request.url.path}


class Order(BaseModel):
    name: str
    count: int = 1


@app.post('/echo')
async def echo(order: Order):
    return order


@app.post('/upload')
async def upload(file: UploadFile = File(), title: str = Form()):
    return {'name': file.filename, 'size': len(await file.read()), 'title': title}


async def blocks():
    for number in range(3):
        yield f'block {number}\n'
        await asyncio.sleep(0.001)


@app.get('/stream')
async def stream():
    return StreamingResponse(blocks(), media_type='text/plain')


@app.get('/file')
def file():
    return FileResponse(pathlib.Path(__file__))


@app.get('/redirect')
async def redirect():
    return RedirectResponse('/items/1?q=x', 303)


@app.get('/cookie', response_class=PlainTextResponse)
async def cookie(response: Response, seen: str = Cookie(default='nothing')):
    response.set_cookie('seen', 'yes', httponly=True)
    response.set_cookie('other', '1')
    return seen


@app.get('/background', response_class=PlainTextResponse)
async def background(tasks: BackgroundTasks):
    tasks.add_task(asyncio.sleep, 0.01)
    return 'done'


@app.get('/fail')
def fail():
    raise ValueError('on purpose')
