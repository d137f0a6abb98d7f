#include "apache/websocket/switching.h"

#include <apr_base64.h>
#include <apr_sha1.h>

#include "apache/pool.h"
#include "apache/request/response_head.h"
#include "apache/websocket/handshake_rules.h"
#include "base/trimmed.h"

namespace pyhost::apache {
namespace {

std::string_view header(const request_rec* r, const char* name) {
  return view_or_empty(apr_table_get(r->headers_in, name));
}

// RFC 6455, 4.2.2: proves that somebody has read the handshake, and is no secret.
const char* answer_to(apr_pool_t* pool, std::string_view key) {
  constexpr std::string_view kSuffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  unsigned char digest[APR_SHA1_DIGESTSIZE];
  apr_sha1_ctx_t sha1;
  apr_sha1_init(&sha1);
  apr_sha1_update(&sha1, key.data(), static_cast<unsigned>(key.size()));
  apr_sha1_update(&sha1, kSuffix.data(), static_cast<unsigned>(kSuffix.size()));
  apr_sha1_final(digest, &sha1);
  char* text = static_cast<char*>(
      apr_palloc(pool, static_cast<apr_size_t>(apr_base64_encode_len(sizeof digest))));
  apr_base64_encode_binary(text, digest, sizeof digest);
  return text;
}

// mod_reqtimeout counts the time of a request, and mod_ssl gathers small writes until a flush.
void remove_filters_of_requests(conn_rec* c) {
  ap_remove_input_filter_byhandle(c->input_filters, "reqtimeout");
  ap_remove_output_filter_byhandle(c->output_filters, "SSL/TLS Coalescing Filter");
}

}  // namespace

gateway::WebSocketOffer web_socket_offer_of(const request_rec* r) {
  const std::string_view upgrade = header(r, "Upgrade");
  if (upgrade.empty() || r->main != nullptr) return gateway::WebSocketOffer::none;
  const std::string_view length = header(r, "Content-Length");
  // mod_http2 gives a stream without end the encoding of a body without length.
  const bool is_encoded =
      r->connection->master == nullptr && !header(r, "Transfer-Encoding").empty();
  return offer_of({.is_get = r->method_number == M_GET && r->header_only == 0,
                   .is_http_1_0 = r->proto_num < HTTP_VERSION(1, 1),
                   .has_body = is_encoded || (!length.empty() && length != "0"),
                   .upgrade = upgrade,
                   .connection = header(r, "Connection"),
                   .version = header(r, "Sec-WebSocket-Version"),
                   .key = header(r, "Sec-WebSocket-Key")});
}

void switch_to_web_socket(request_rec* r, const gateway::ResponseHead& head) {
  conn_rec* c = r->connection;
  set_switching_head(r, head);
  apr_table_setn(r->headers_out, "Upgrade", "websocket");
  apr_table_setn(r->headers_out, "Connection", "Upgrade");
  apr_table_setn(r->headers_out, "Sec-WebSocket-Accept",
                 answer_to(r->pool, base::trimmed(header(r, "Sec-WebSocket-Key"))));
  ap_send_interim_response(r, 1);
  remove_filters_of_requests(c);
  r->output_filters = r->proto_output_filters = c->output_filters;
  // The end of a connection is its end; that of a HTTP/2 stream has to be said.
  r->eos_sent = c->master == nullptr ? 1 : 0;
  c->keepalive = AP_CONN_CLOSE;
}

}  // namespace pyhost::apache
