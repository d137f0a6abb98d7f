"""A Flask application: pyhost serve docs/examples/flask_app.py"""

from flask import Flask, jsonify, request

application = Flask(__name__)


@application.get("/")
def index():
    return "Hello from Flask!\n"


@application.post("/sum")
def add():
    return jsonify(sum=sum(request.get_json()))


@application.errorhandler(404)
def not_found(error):
    return jsonify(error="not found", path=request.path), 404
