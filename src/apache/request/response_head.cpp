#include "apache/request/response_head.h"

#include <mod_core.h>

#include <algorithm>

#include "apache/pool.h"
#include "base/parse.h"

namespace pyhost::apache {
namespace {

constexpr std::string_view kChallenge = "WWW-Authenticate";

void set_header(request_rec* r, const gateway::Header& header) {
  using base::equals_ignoring_case;
  if (equals_ignoring_case(header.name, "Date") || equals_ignoring_case(header.name, "Server")) {
    return;
  }
  const char* value = pool_c_string(r->pool, header.value);
  if (equals_ignoring_case(header.name, "Content-Type")) return ap_set_content_type(r, value);
  // Has to survive an error page: without it a 401 is of no use.
  const bool survives = equals_ignoring_case(header.name, kChallenge);
  apr_table_addn(survives ? r->err_headers_out : r->headers_out,
                 pool_c_string(r->pool, header.name), value);
}

// httpd turns a status it has no phrase for into 500 unless it gets a whole line.
const char* status_line(apr_pool_t* pool, const gateway::ResponseHead& head) {
  if (head.reason.empty()) return ap_get_status_line_ex(pool, head.status);
  return apr_psprintf(pool, "%03d %s", head.status, pool_c_string(pool, head.reason));
}

// Of all other bodies only the application knows whether a part of them means anything.
bool may_be_sliced(const request_rec* r, const gateway::ReplyPart& part) {
  const bool is_get = r->method_number == M_GET && r->header_only == 0;
  const bool is_file = part.file != nullptr && !part.file->unchanging && part.blocks.empty();
  if (!is_get || !is_file) return false;
  return std::ranges::all_of(part.head->headers, [](const gateway::Header& header) {
    return !base::equals_ignoring_case(header.name, "Accept-Ranges") ||
           base::equals_ignoring_case(header.value, "bytes");
  });
}

}  // namespace

void set_response_head(request_rec* r, const gateway::ResponseHead& head) {
  r->status = head.status;
  r->status_line = status_line(r->pool, head);
  // What mod_mime has guessed from the script's name is not about what the script produces.
  ap_set_content_type(r, nullptr);
  r->content_encoding = nullptr;
  r->content_languages = nullptr;
  for (const gateway::Header& header : head.headers) set_header(r, header);
  // A HTTP/2 stream ends by itself, and its connection is that of others too.
  if (head.closes_connection && r->connection->master == nullptr) {
    r->connection->keepalive = AP_CONN_CLOSE;
  }
  if (head.content_length) {
    ap_set_content_length(r, static_cast<apr_off_t>(*head.content_length));
  }
}

void set_switching_head(request_rec* r, const gateway::ResponseHead& head) {
  r->status = HTTP_SWITCHING_PROTOCOLS;
  r->status_line = ap_get_status_line(r->status);
  r->headers_out = apr_table_make(r->pool, static_cast<int>(head.headers.size()) + 3);
  for (const gateway::Header& header : head.headers) {
    apr_table_addn(r->headers_out, pool_c_string(r->pool, header.name),
                   pool_c_string(r->pool, header.value));
  }
}

// httpd takes status and headers from the request, where those of the reply are to be.
void send_early_hints(request_rec* r, std::span<const gateway::Header> headers) {
  constexpr int kEarlyHints = 103;
  const int status = r->status;
  const char* const status_line = r->status_line;
  apr_table_t* const headers_out = r->headers_out;
  const int expecting_100 = r->expecting_100;
  r->status = kEarlyHints;
  r->status_line = "103 Early Hints";
  r->headers_out = apr_table_make(r->pool, static_cast<int>(headers.size()));
  for (const gateway::Header& header : headers) {
    apr_table_addn(r->headers_out, pool_c_string(r->pool, header.name),
                   pool_c_string(r->pool, header.value));
  }
  ap_send_interim_response(r, 1);
  r->status = status;
  r->status_line = status_line;
  r->headers_out = headers_out;
  // httpd takes any such reply for the one that a client waits for with its body.
  r->expecting_100 = expecting_100;
}

void set_trailers(request_rec* r, std::span<const gateway::Header> trailers) {
  if (r->proto_num < HTTP_VERSION(2, 0)) return;
  for (const gateway::Header& trailer : trailers) {
    apr_table_addn(r->trailers_out, pool_c_string(r->pool, trailer.name),
                   pool_c_string(r->pool, trailer.value));
  }
}

void settle_ranges(request_rec* r, const gateway::ReplyPart& part) {
  if (may_be_sliced(r, part)) return;
  for (ap_filter_t* f = r->output_filters; f != nullptr; f = f->next) {
    if (f->frec != ap_byterange_filter_handle) continue;
    ap_remove_output_filter(f);
    return;
  }
}

void set_challenge(request_rec* r, const gateway::ResponseHead& head) {
  for (const gateway::Header& header : head.headers) {
    if (base::equals_ignoring_case(header.name, kChallenge)) set_header(r, header);
  }
}

const char* local_location(apr_pool_t* pool, const gateway::ResponseHead& head) {
  for (const gateway::Header& header : head.headers) {
    if (base::equals_ignoring_case(header.name, "Location") && header.value.starts_with('/')) {
      return pool_c_string(pool, header.value);
    }
  }
  return nullptr;
}

}  // namespace pyhost::apache
