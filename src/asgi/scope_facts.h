// What a request's environ has of what a scope needs beside headers.
#pragma once

#include <string_view>

#include "base/parse.h"
#include "pyhost/gateway/request_head.h"

namespace pyhost::asgi {

struct ScopeFacts {
  explicit ScopeFacts(const gateway::RequestHead& head) noexcept {
    for (const gateway::EnvironEntry& entry : head.environ) note(entry);
  }

  void note(const gateway::EnvironEntry& entry) noexcept {
    switch (entry.key) {
      case gateway::EnvironKey::request_method:
        method = entry.value;
        break;
      case gateway::EnvironKey::script_name:
        script_name = entry.value;
        break;
      case gateway::EnvironKey::path_info:
        path_info = entry.value;
        break;
      case gateway::EnvironKey::query_string:
        query = entry.value;
        break;
      case gateway::EnvironKey::request_uri:
        uri = entry.value;
        break;
      case gateway::EnvironKey::server_protocol:
        protocol = entry.value;
        break;
      case gateway::EnvironKey::server_addr:
        server = entry.value;
        break;
      case gateway::EnvironKey::server_port:
        if (server_port.empty()) server_port = entry.value;
        break;
      case gateway::EnvironKey::wsgi_listener_port:
        server_port = entry.value;
        break;
      case gateway::EnvironKey::remote_addr:
        client = entry.value;
        break;
      case gateway::EnvironKey::remote_port:
        client_port = entry.value;
        break;
      case gateway::EnvironKey::wsgi_request_id:
        request_id = entry.value;
        break;
      case gateway::EnvironKey::wsgi_trace_id:
        trace_id = entry.value;
        break;
      case gateway::EnvironKey::wsgi_span_id:
        span_id = entry.value;
        break;
      case gateway::EnvironKey::http_te:
        takes_trailers = base::has_token(entry.value, "trailers");
        break;
      default:
        break;
    }
  }

  std::string_view method, script_name, path_info, query, uri, protocol;
  std::string_view server, server_port, client, client_port;
  std::string_view request_id, trace_id, span_id;
  bool takes_trailers = false;
};

}  // namespace pyhost::asgi
