// An HTTP client for tests, over libcurl.
#pragma once

#include <curl/curl.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pyhost::test {

using Headers = std::vector<std::pair<std::string, std::string>>;

enum class Protocol {
  http10,
  http11,
  http11_tls,
  h2c,     // HTTP/2 without TLS and without an upgrade
  h2_tls,  // negotiated by ALPN
};

// What is sent: these headers and Host, nothing that libcurl would add by itself.
struct Request {
  std::string method = "GET";
  std::string path = "/";  // goes on the wire as it is
  Headers headers;
  std::optional<std::string> body;
  bool chunked = false;  // the body without Content-Length
  Protocol protocol = Protocol::http11;
  std::chrono::milliseconds timeout{20'000};
};

struct Response {
  CURLcode error = CURLE_OK;  // CURLE_PARTIAL_FILE and the like: the reply was cut off
  std::string error_text;
  int status = 0;  // 0: no reply at all
  // The request had a connection that an earlier one has used.
  bool on_kept_connection = false;
  std::string reason;
  std::vector<int> interim;  // the 1xx replies before it
  Headers headers;           // in their order, repeats kept; trailers behind them
  std::string body;

  // A whole reply, as far as the client can tell.
  bool complete() const noexcept { return error == CURLE_OK; }
  // The first header of that name in any letter case.
  std::optional<std::string> header(std::string_view name) const;
  // The values of all headers of that name.
  std::vector<std::string> all(std::string_view name) const;
};

// Shown when an assertion on a response fails.
std::ostream& operator<<(std::ostream& out, const Response& response);

// Where a server listens on 127.0.0.1.
struct Endpoint {
  int port = 0;
  int tls_port = 0;
  std::string certificate;  // PEM file the server's certificate is checked against
};

// Keeps its connection open between requests. For one thread; each thread has its own.
class HttpClient {
 public:
  explicit HttpClient(Endpoint endpoint);

  // From now on cookies are kept and sent back as a browser does.
  void keep_cookies();

  Response request(const Request& request);
  Response get(std::string path) { return request({.path = std::move(path)}); }

 private:
  Endpoint endpoint_;
  std::unique_ptr<CURL, void (*)(CURL*)> curl_;
};

// The replies to requests that are sent at the same time, in the order of the requests, and how
// many connections they took: one for HTTP/2 over TLS. (Without TLS libcurl 7.88 fails on every
// request but the first of a connection.)
struct TogetherResult {
  std::vector<Response> responses;
  long connections = 0;
};
TogetherResult request_together(const Endpoint& endpoint, const std::vector<Request>& requests);

}  // namespace pyhost::test
