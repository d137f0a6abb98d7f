#include "harness/http_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ostream>

#include "base/parse.h"

namespace pyhost::test {
namespace {

using HeaderList = std::unique_ptr<curl_slist, void (*)(curl_slist*)>;

std::size_t on_body(char* data, std::size_t, std::size_t bytes, void* response) {
  static_cast<Response*>(response)->body.append(data, bytes);
  return bytes;
}

void on_status_line(std::string_view line, Response& response) {
  // A reply follows each interim reply.
  if (response.status != 0) response.interim.push_back(response.status);
  response.headers.clear();
  const auto blank = std::min(line.find(' '), line.size() - 1);
  const std::string_view rest = line.substr(blank + 1);
  response.status = static_cast<int>(base::parse_unsigned(rest.substr(0, 3)).value_or(0));
  response.reason = rest.size() > 4 ? rest.substr(4) : "";
}

std::size_t on_header(char* data, std::size_t, std::size_t bytes, void* argument) {
  auto& response = *static_cast<Response*>(argument);
  std::string_view line(data, bytes);
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  if (line.starts_with("HTTP/")) {
    on_status_line(line, response);
  } else if (const auto colon = line.find(':'); colon != line.npos) {
    const auto value = std::min(line.find_first_not_of(' ', colon + 1), line.size());
    response.headers.emplace_back(line.substr(0, colon), line.substr(value));
  }
  return bytes;
}

std::size_t on_read(char* into, std::size_t, std::size_t bytes_max, void* argument) {
  auto& left = *static_cast<std::string_view*>(argument);
  const std::size_t bytes = left.copy(into, bytes_max);
  left.remove_prefix(bytes);
  return bytes;
}

HeaderList header_list(const Request& request) {
  HeaderList list(nullptr, curl_slist_free_all);
  const auto add = [&](const std::string& line) {
    list.reset(curl_slist_append(list.release(), line.c_str()));
  };
  const auto has = [&](std::string_view name) {
    return std::ranges::any_of(request.headers, [&](const auto& header) {
      return base::equals_ignoring_case(header.first, name);
    });
  };
  for (const auto& [name, value] : request.headers) {
    add(value.empty() ? name + ";" : name + ": " + value);
  }
  // A name without value takes libcurl's own header away.
  for (const char* name : {"Accept", "Content-Type", "Expect"}) {
    if (!has(name)) add(std::string(name) + ":");
  }
  if (request.chunked) add("Transfer-Encoding: chunked");
  return list;
}

long version_of(Protocol protocol) {
  switch (protocol) {
    case Protocol::http10:
      return CURL_HTTP_VERSION_1_0;
    case Protocol::h2c:
      return CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE;
    case Protocol::h2_tls:
      return CURL_HTTP_VERSION_2TLS;
    case Protocol::http11:
    case Protocol::http11_tls:
      break;
  }
  return CURL_HTTP_VERSION_1_1;
}

bool over_tls(Protocol protocol) {
  return protocol == Protocol::http11_tls || protocol == Protocol::h2_tls;
}

void set_body(CURL* curl, const Request& request, std::string_view& left) {
  if (!request.body) return;
  curl_easy_setopt(curl, CURLOPT_POST, 1L);
  if (request.chunked) {
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(curl, CURLOPT_READDATA, &left);
  } else {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(request.body->size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body->data());
  }
}

// A request on its way: all that libcurl keeps pointers to.
class Transfer {
 public:
  Transfer(CURL* curl, const Endpoint& endpoint, const Request& request);
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  Response finish(CURLcode code);

 private:
  const HeaderList headers_;
  std::string_view body_left_;
  Response response_;
  std::array<char, CURL_ERROR_SIZE> error_text_{};
};

Transfer::Transfer(CURL* curl, const Endpoint& endpoint, const Request& request)
    : headers_(header_list(request)),
      body_left_(request.body ? std::string_view(*request.body) : "") {
  const bool tls = over_tls(request.protocol);
  const std::string url = fmt::format("{}://127.0.0.1:{}/", tls ? "https" : "http",
                                      tls ? endpoint.tls_port : endpoint.port);
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_REQUEST_TARGET, request.path.c_str());
  curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, version_of(request.protocol));
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers_.get());
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, long(request.timeout.count()));
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &response_);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &response_);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error_text_.data());
  if (tls) curl_easy_setopt(curl, CURLOPT_CAINFO, endpoint.certificate.c_str());
  set_body(curl, request, body_left_);
  if (request.method == "HEAD") curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

Response Transfer::finish(CURLcode code) {
  response_.error = code;
  if (code != CURLE_OK) {
    response_.error_text = error_text_[0] != 0 ? error_text_.data() : curl_easy_strerror(code);
  }
  return std::move(response_);
}

using EasyHandle = std::unique_ptr<CURL, void (*)(CURL*)>;
using MultiHandle = std::unique_ptr<CURLM, CURLMcode (*)(CURLM*)>;

void perform_all(CURLM* multi) {
  constexpr int kPollMilliseconds = 1000;
  int running = 1;
  while (running > 0) {
    if (curl_multi_perform(multi, &running) != CURLM_OK) return;
    if (running > 0) curl_multi_poll(multi, nullptr, 0, kPollMilliseconds, nullptr);
  }
}

}  // namespace

HttpClient::HttpClient(Endpoint endpoint)
    : endpoint_(std::move(endpoint)), curl_(curl_easy_init(), curl_easy_cleanup) {}

void HttpClient::keep_cookies() {
  // The one option that takes effect at once, so that the reset before each request is no loss.
  curl_easy_setopt(curl_.get(), CURLOPT_COOKIEJAR, "/dev/null");
}

Response HttpClient::request(const Request& request) {
  curl_easy_reset(curl_.get());  // keeps the connection and the cookies
  Transfer transfer(curl_.get(), endpoint_, request);
  Response response = transfer.finish(curl_easy_perform(curl_.get()));
  long connections_made = 0;
  curl_easy_getinfo(curl_.get(), CURLINFO_NUM_CONNECTS, &connections_made);
  response.on_kept_connection = connections_made == 0;
  return response;
}

TogetherResult request_together(const Endpoint& endpoint, const std::vector<Request>& requests) {
  const MultiHandle multi(curl_multi_init(), curl_multi_cleanup);
  std::vector<EasyHandle> handles;
  std::vector<std::unique_ptr<Transfer>> transfers;
  for (const Request& request : requests) {
    CURL* const curl = handles.emplace_back(curl_easy_init(), curl_easy_cleanup).get();
    transfers.push_back(std::make_unique<Transfer>(curl, endpoint, request));
    curl_easy_setopt(curl, CURLOPT_PIPEWAIT, 1L);
    curl_multi_add_handle(multi.get(), curl);
  }
  perform_all(multi.get());

  TogetherResult result{.responses = std::vector<Response>(requests.size())};
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi.get(), &left)) {
    const auto at = std::ranges::find(handles, message->easy_handle, &EasyHandle::get);
    const auto index = static_cast<std::size_t>(at - handles.begin());
    result.responses[index] = transfers[index]->finish(message->data.result);
  }
  for (const EasyHandle& handle : handles) {
    long connections = 0;
    curl_easy_getinfo(handle.get(), CURLINFO_NUM_CONNECTS, &connections);
    result.connections += connections;
    curl_multi_remove_handle(multi.get(), handle.get());
  }
  return result;
}

std::optional<std::string> Response::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (base::equals_ignoring_case(key, name)) return value;
  }
  return std::nullopt;
}

std::vector<std::string> Response::all(std::string_view name) const {
  std::vector<std::string> values;
  for (const auto& [key, value] : headers) {
    if (base::equals_ignoring_case(key, name)) values.push_back(value);
  }
  return values;
}

std::ostream& operator<<(std::ostream& out, const Response& response) {
  if (!response.complete()) out << "[libcurl: " << response.error_text << "] ";
  out << response.status << ' ' << response.reason << '\n';
  for (const auto& [name, value] : response.headers) out << name << ": " << value << '\n';
  return out << '\n' << response.body;
}

}  // namespace pyhost::test
