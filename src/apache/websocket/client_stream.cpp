#include "apache/websocket/client_stream.h"

#include <apr_portable.h>

#include "apache/request/client_connection.h"

namespace pyhost::apache {
namespace {

constexpr apr_off_t kReadBytes = 16 * 1024;
// httpd waits for a client for which it would have to keep more than 64 KiB, those among them that
// TLS adds. It is given no more while it keeps any.
constexpr std::size_t kPassBytes = 32 * 1024;

// A HTTP/2 stream has a pipe that says when there is something to read.
int descriptor_of(conn_rec* c) {
  apr_pollfd_t entry{};
  if (ap_get_pollfd_from_conn(c, &entry, nullptr) != APR_SUCCESS) return -1;
  int fd = -1;
  if (entry.desc_type == APR_POLL_SOCKET) apr_os_sock_get(&fd, entry.desc.s);
  if (entry.desc_type == APR_POLL_FILE) apr_os_file_get(&fd, entry.desc.f);
  return fd;
}

}  // namespace

ClientStream::ClientStream(conn_rec* c)
    : c_(c),
      input_(apr_brigade_create(c->pool, c->bucket_alloc)),
      output_(apr_brigade_create(c->pool, c->bucket_alloc)),
      fd_(descriptor_of(c)) {}

ClientStream::~ClientStream() {
  apr_brigade_destroy(input_);
  apr_brigade_destroy(output_);
}

// --- What the client sends -----------------------------------------------------------------------

std::string_view ClientStream::look() {
  while (rest_.empty() && !ended_) {
    if (APR_BRIGADE_EMPTY(input_) && !receive()) break;
    if (!take_bucket()) break;
  }
  return rest_;
}

// False when nothing is there.
bool ClientStream::receive() {
  const auto status =
      ap_get_brigade(c_->input_filters, input_, AP_MODE_READBYTES, APR_NONBLOCK_READ, kReadBytes);
  if (APR_STATUS_IS_EAGAIN(status)) return false;
  if (status != APR_SUCCESS) {
    ended_ = true;
    gone_ = gone_ || !APR_STATUS_IS_EOF(status);
    return false;
  }
  return !APR_BRIGADE_EMPTY(input_);
}

// mod_http2 ends the body of the request that has become a stream in front of all else.
bool ClientStream::take_bucket() {
  apr_bucket* bucket = APR_BRIGADE_FIRST(input_);
  const bool is_first = !heard_;
  heard_ = true;
  if (APR_BUCKET_IS_EOS(bucket)) ended_ = c_->master == nullptr || !is_first;
  const char* data = nullptr;
  apr_size_t length = 0;
  if (!APR_BUCKET_IS_METADATA(bucket)) {
    const auto status = apr_bucket_read(bucket, &data, &length, APR_NONBLOCK_READ);
    if (APR_STATUS_IS_EAGAIN(status)) return false;
    if (status != APR_SUCCESS) ended_ = gone_ = true;
  }
  rest_ = {data, length};
  if (rest_.empty()) apr_bucket_delete(bucket);
  return true;
}

void ClientStream::consume(std::size_t bytes) noexcept {
  if (bytes == 0) return;
  rest_.remove_prefix(bytes);
  if (rest_.empty()) apr_bucket_delete(APR_BRIGADE_FIRST(input_));
}

// --- What it is sent -----------------------------------------------------------------------------

std::size_t ClientStream::send(std::string_view bytes) {
  if (gone_ || c_->data_in_output_filters) return 0;
  bytes = bytes.substr(0, kPassBytes);
  APR_BRIGADE_INSERT_TAIL(
      output_, apr_bucket_transient_create(bytes.data(), bytes.size(), output_->bucket_alloc));
  if (c_->master != nullptr) {
    APR_BRIGADE_INSERT_TAIL(output_, apr_bucket_flush_create(output_->bucket_alloc));
  }
  const auto status = ap_pass_brigade(c_->output_filters, output_);
  apr_brigade_cleanup(output_);
  gone_ = gone_ || status != APR_SUCCESS;
  return bytes.size();
}

gateway::StreamEnd::Room ClientStream::flush() {
  if (!gone_ && !c_->aborted && c_->master == nullptr && c_->data_in_output_filters) {
    write_what_is_left(c_);
  }
  if (gone_ || c_->aborted) return Room::gone;
  return c_->master == nullptr && c_->data_in_output_filters ? Room::none : Room::free;
}

}  // namespace pyhost::apache
