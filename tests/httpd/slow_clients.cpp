#include "httpd/slow_clients.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>

#include "harness/wait.h"

namespace pyhost::test {
namespace {

using EasyHandle = std::unique_ptr<CURL, void (*)(CURL*)>;
using MultiHandle = std::unique_ptr<CURLM, CURLMcode (*)(CURLM*)>;

constexpr std::size_t kBlockBytes = 50'000;  // of /large

// Otherwise the system takes megabytes for the client.
int keep_little(void*, curl_socket_t socket, curlsocktype) {
  const int bytes = 16'384;
  setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
  return CURL_SOCKOPT_OK;
}

}  // namespace

class SlowClients::Client {
 public:
  Client(const Endpoint& endpoint, const SlowTransfer& transfer);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  CURL* curl() const noexcept { return curl_.get(); }
  bool has_begun() const noexcept { return is_upload() ? sent_ > 0 : received_ > 0; }
  void hurry() const;
  // Empty when all is well.
  std::string failure(CURLcode code) const;

 private:
  static std::size_t on_body(char* data, std::size_t, std::size_t bytes, void* client);
  static std::size_t on_read(char* into, std::size_t, std::size_t bytes_max, void* client);

  bool is_upload() const noexcept { return transfer_.way == SlowTransfer::Way::upload; }
  void set_upload();

  const SlowTransfer transfer_;
  EasyHandle curl_{curl_easy_init(), curl_easy_cleanup};
  std::size_t sent_ = 0;
  std::size_t received_ = 0;
};

SlowClients::Client::Client(const Endpoint& endpoint, const SlowTransfer& transfer)
    : transfer_(transfer) {
  const bool tls = transfer.protocol == Protocol::http11_tls;
  const std::string url = fmt::format(
      "{}://127.0.0.1:{}{}", tls ? "https" : "http", tls ? endpoint.tls_port : endpoint.port,
      is_upload() ? "/sum" : fmt::format("/large?{}", transfer.bytes / kBlockBytes));
  const auto speed = static_cast<curl_off_t>(transfer.bytes_per_second);
  curl_easy_setopt(curl(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl(), CURLOPT_PROXY, "");
  curl_easy_setopt(curl(), CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(curl(), CURLOPT_CAINFO, endpoint.certificate.c_str());
  curl_easy_setopt(curl(), CURLOPT_BUFFERSIZE, 1024L);
  curl_easy_setopt(curl(), CURLOPT_MAX_RECV_SPEED_LARGE, speed);
  curl_easy_setopt(curl(), CURLOPT_SOCKOPTFUNCTION, keep_little);
  curl_easy_setopt(curl(), CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(curl(), CURLOPT_WRITEDATA, this);
  if (is_upload()) set_upload();
}

void SlowClients::Client::set_upload() {
  curl_easy_setopt(curl(), CURLOPT_POST, 1L);
  curl_easy_setopt(curl(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(transfer_.bytes));
  curl_easy_setopt(curl(), CURLOPT_MAX_SEND_SPEED_LARGE,
                   static_cast<curl_off_t>(transfer_.bytes_per_second));
  curl_easy_setopt(curl(), CURLOPT_READFUNCTION, on_read);
  curl_easy_setopt(curl(), CURLOPT_READDATA, this);
}

std::size_t SlowClients::Client::on_body(char*, std::size_t, std::size_t bytes, void* client) {
  static_cast<Client*>(client)->received_ += bytes;
  return bytes;
}

std::size_t SlowClients::Client::on_read(char* into, std::size_t, std::size_t bytes_max,
                                         void* client) {
  constexpr std::size_t kPieceBytes = 200;
  auto& self = *static_cast<Client*>(client);
  const std::size_t bytes = std::min({bytes_max, kPieceBytes, self.transfer_.bytes - self.sent_});
  std::fill_n(into, bytes, 'x');
  self.sent_ += bytes;
  return bytes;
}

void SlowClients::Client::hurry() const {
  curl_easy_setopt(curl(), CURLOPT_MAX_RECV_SPEED_LARGE, curl_off_t{0});
  curl_easy_setopt(curl(), CURLOPT_MAX_SEND_SPEED_LARGE, curl_off_t{0});
}

std::string SlowClients::Client::failure(CURLcode code) const {
  constexpr std::size_t kDigestBytes = 32;
  long status = 0;
  curl_easy_getinfo(curl(), CURLINFO_RESPONSE_CODE, &status);
  const std::size_t expected = is_upload() ? kDigestBytes : transfer_.bytes;
  if (code == CURLE_OK && status == 200 && received_ == expected) return "";
  return fmt::format("{}: {}, status {}, {} bytes sent, {} received",
                     is_upload() ? "upload" : "download", curl_easy_strerror(code), status, sent_,
                     received_);
}

SlowClients::SlowClients(const Endpoint& endpoint, std::vector<SlowTransfer> transfers) {
  for (const SlowTransfer& transfer : transfers) {
    clients_.push_back(std::make_unique<Client>(endpoint, transfer));
  }
  thread_ = std::jthread([this] { work(); });
}

SlowClients::~SlowClients() {
  finish();
}

bool SlowClients::all_have_begun() const {
  return wait_until([this] { return begun_ == clients_.size(); });
}

void SlowClients::finish() {
  hurry_ = true;
  if (thread_.joinable()) thread_.join();
}

void SlowClients::work() {
  constexpr int kPollMilliseconds = 20;
  const MultiHandle multi(curl_multi_init(), curl_multi_cleanup);
  for (const auto& client : clients_) curl_multi_add_handle(multi.get(), client->curl());
  bool hurried = false;
  for (int running = 1; running > 0;) {
    if (hurry_ && !std::exchange(hurried, true)) hurry();
    if (curl_multi_perform(multi.get(), &running) != CURLM_OK) break;
    begun_ = static_cast<std::size_t>(std::ranges::count_if(clients_, &Client::has_begun));
    if (running > 0) curl_multi_poll(multi.get(), nullptr, 0, kPollMilliseconds, nullptr);
  }
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi.get(), &left)) {
    const auto client = std::ranges::find_if(
        clients_, [&](const auto& each) { return each->curl() == message->easy_handle; });
    const std::string failure = (*client)->failure(message->data.result);
    if (!failure.empty()) failures_.push_back(failure);
  }
  for (const auto& client : clients_) curl_multi_remove_handle(multi.get(), client->curl());
}

void SlowClients::hurry() {
  for (const auto& client : clients_) client->hurry();
}

}  // namespace pyhost::test
