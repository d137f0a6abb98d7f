#include "apache/request/client_connection.h"

namespace pyhost::apache {

using gateway::ClientSocket;

ClientSocket socket_of(conn_rec* c) {
  if (c->master != nullptr) return {.kind = ClientSocket::Kind::shared};
  apr_socket_t* connection = ap_get_conn_socket(c);
  apr_os_sock_t socket = -1;
  if (connection != nullptr) apr_os_sock_get(&socket, connection);
  if (socket < 0) return {.kind = ClientSocket::Kind::closed};
  return {.kind = ClientSocket::Kind::open, .fd = socket};
}

void write_what_is_left(conn_rec* c) {
  ap_filter_t* network = c->output_filters;
  while (network->next != nullptr) network = network->next;
  network->frec->filter_func.out_func(network, nullptr);
}

}  // namespace pyhost::apache
