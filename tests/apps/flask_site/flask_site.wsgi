"""The features of Flask that lean on the server."""
from flask import (Flask, Response, g, jsonify, redirect, request, session, stream_with_context,
                   url_for)

from hooks import watch
from shop import shop

application = Flask(__name__)
application.secret_key = 'good enough for a test'
application.register_blueprint(shop)
watch(application)


@application.before_request
def remember_name():
    g.name = request.args.get('name', '')


@application.route('/float/<float:number>')
def half(number):
    return str(number / 2)


@application.route('/tree/<path:rest>')
def echo(rest):
    return jsonify(path=rest, name=g.name, url=url_for('echo', rest=rest))


@application.route('/instance')
def instance():
    return application.instance_path


@application.route('/count')
def count_visits():
    session['visits'] = session.get('visits', 0) + 1
    return str(session['visits'])


@application.route('/old')
def old():
    return redirect(url_for('half', number=3.0))


@application.route('/stream')
def stream():
    words = (f'{g.name} {number}\n' for number in range(100))
    return Response(stream_with_context(words), mimetype='text/plain')


@application.route('/fail')
def fail():
    raise LookupError('the view failed')


@application.errorhandler(404)
def not_found(error):
    return jsonify(nothing_at=request.path), 404


@application.errorhandler(LookupError)
def failed(error):
    return jsonify(error=str(error)), 503
