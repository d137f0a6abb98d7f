"""A chat room with Django Channels, and a page for it whose load ends when two have met."""
import asyncio
import collections

from django.conf import settings

settings.configure(
    ALLOWED_HOSTS=['127.0.0.1'], ROOT_URLCONF=__name__, SECRET_KEY='for a test', DEBUG=False,
    INSTALLED_APPS=['channels'],
    CHANNEL_LAYERS={'default': {'BACKEND': 'channels.layers.InMemoryChannelLayer'}})

import django

django.setup()

from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.http import HttpResponse
from django.urls import path

met = collections.defaultdict(asyncio.Event)

PAGE = '''<!doctype html>
<title>A room</title>
<ul id="said"></ul>
<script>
const name = new URLSearchParams(location.search).get('name')
const socket = new WebSocket(`ws://${location.host}/chat`)
const image = new Image()
image.src = `/until-met?name=${name}`  // the page is loaded when that is
document.body.append(image)
const say = text => socket.send(text + ' and so on'.repeat(20))  // worth being compressed
socket.onopen = () => say(`${name} is here`)
socket.onmessage = event => {
  const line = document.createElement('li')
  line.textContent = event.data
  document.getElementById('said').append(line)
  if (event.data.startsWith(name)) return
  const other = event.data.split(' ')[0]
  if (event.data.includes('is here')) say(`${name} greets ${other}`)
  socket.send(`met ${name}`)
}
</script>
'''


class Room(AsyncWebsocketConsumer):
    async def connect(self):
        await self.channel_layer.group_add('room', self.channel_name)
        await self.accept()

    async def disconnect(self, code):
        print(f'somebody has left with {code}')
        await self.channel_layer.group_discard('room', self.channel_name)

    async def receive(self, text_data=None, bytes_data=None):
        if text_data.startswith('met '):
            met[text_data[4:]].set()
        else:
            await self.channel_layer.group_send('room', {'type': 'chat.said', 'text': text_data})

    async def chat_said(self, event):
        await self.send(text_data=event['text'])


async def page(request):
    return HttpResponse(PAGE)


async def until_met(request):
    await met[request.GET['name']].wait()
    return HttpResponse(b'', content_type='image/png')


urlpatterns = [path('', page), path('until-met', until_met)]
app = ProtocolTypeRouter({'http': get_asgi_application(),
                          'websocket': URLRouter([path('chat', Room.as_asgi())])})
