"""The pages that every site of this folder has, with Quart."""
import asyncio
import pathlib

from quart import Quart, jsonify, redirect, request, send_file

app = Quart(__name__)
app.logger.disabled = True


@app.before_serving
async def start():
    app.pool = 'a pool'


@app.get('/')
async def hello():
    return 'hello', {'Content-Type': 'text/plain'}


@app.get('/items/<int:id>')
async def item(id):
    return jsonify(id=id, q=request.args.get('q'), pool=app.pool, path=request.path)


@app.post('/echo')
async def echo():
    return jsonify(await request.get_json())


@app.post('/upload')
async def upload():
    file = (await request.files)['file']
    return jsonify(name=file.filename, size=len(file.read()), title=(await request.form)['title'])


@app.get('/stream')
async def stream():
    async def blocks():
        for number in range(3):
            yield f'block {number}\n'
            await asyncio.sleep(0.001)
    return blocks(), {'Content-Type': 'text/plain'}


@app.get('/file')
async def file():
    return await send_file(pathlib.Path(__file__))


@app.get('/redirect')
async def away():
    return redirect('/items/1?q=x', 303)


@app.get('/cookie')
async def cookie():
    response = await app.make_response(request.cookies.get('seen', 'nothing'))
    response.set_cookie('seen', 'yes', httponly=True)
    response.set_cookie('other', '1')
    return response


@app.get('/background')
async def background():
    app.add_background_task(asyncio.sleep, 0.01)
    return 'done'


@app.get('/fail')
async def fail():
    raise ValueError('on purpose')
