#include "httpd/download.h"

#include <memory>

namespace pyhost::test {
namespace {

using OnBody = std::function<void(std::size_t)>;

std::size_t pass_on(char*, std::size_t, std::size_t bytes, void* on_body) {
  (*static_cast<OnBody*>(on_body))(bytes);
  return bytes;
}

long http_version(Protocol protocol) {
  if (protocol == Protocol::h2c) return CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE;
  return protocol == Protocol::h2_tls ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1;
}

}  // namespace

CURLcode download(const Endpoint& endpoint, const std::string& path, Protocol protocol,
                  OnBody on_body) {
  const bool tls = protocol == Protocol::http11_tls || protocol == Protocol::h2_tls;
  const std::string url = (tls ? "https://127.0.0.1:" : "http://127.0.0.1:") +
                          std::to_string(tls ? endpoint.tls_port : endpoint.port) + path;
  const std::unique_ptr<CURL, void (*)(CURL*)> curl(curl_easy_init(), curl_easy_cleanup);
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_PROXY, "");
  curl_easy_setopt(curl.get(), CURLOPT_HTTP_VERSION, http_version(protocol));
  curl_easy_setopt(curl.get(), CURLOPT_CAINFO, endpoint.certificate.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_ACCEPT_ENCODING, "gzip");
  curl_easy_setopt(curl.get(), CURLOPT_HTTP_CONTENT_DECODING, 0L);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, pass_on);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &on_body);
  return curl_easy_perform(curl.get());
}

}  // namespace pyhost::test
