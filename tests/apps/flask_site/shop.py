"""A blueprint."""
from flask import Blueprint, jsonify, request, url_for

shop = Blueprint('shop', __name__, url_prefix='/shop')


@shop.route('/items/<int:number>')
def item(number):
    return jsonify(number=number, url=url_for('shop.item', number=number))


@shop.route('/orders', methods=['POST'])
def order():
    return jsonify(ordered=request.get_json()['items'][::-1]), 201
