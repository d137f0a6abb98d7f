#include "apache/request/reply_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "apache/guarded.h"
#include "apache/log.h"
#include "apache/pool.h"

namespace pyhost::apache {
namespace {

constexpr char kFilterName[] = "PYHOST_REPLY_FILE";
constexpr std::size_t kPieceBytes = 32 * 1024;

ap_filter_rec_t* unread_filter = nullptr;

// Whether nobody reads what leaves the request's own filters but httpd's core, which closes the
// connection when a file is too short. (TLS takes a short file for a complete one.)
bool is_plain(const conn_rec* c) {
  if (c->master != nullptr) return false;
  const ap_filter_t* f = c->output_filters;
  return f != nullptr && f->next == nullptr && f->frec == ap_core_output_filter_handle;
}

// Bytes at `offset`, as many as there are; -1 with errno set.
ssize_t read_at(int fd, char* into, std::size_t bytes, apr_off_t offset) noexcept {
  ssize_t got = 0;
  do {
    got = pread(fd, into, bytes, offset);
  } while (got < 0 && errno == EINTR);
  return got;
}

}  // namespace

// What the buckets of one file have in common.
struct ReplyFile::Share {
  apr_bucket_refcount references;
  ReplyFile* file;
};

const apr_bucket_type_t ReplyFile::kBucketType = {
    .name = "PYHOST_FILE",
    .num_func = 5,
    .is_metadata = apr_bucket_type_t::APR_BUCKET_DATA,
    .destroy = ReplyFile::release,
    .read = guarded<&ReplyFile::read, APR_EGENERAL>,
    .setaside = apr_bucket_setaside_noop,
    .split = apr_bucket_shared_split,
    .copy = apr_bucket_shared_copy,
};

void register_reply_files() {
  // Behind all that a request can have between itself and the connection.
  constexpr auto type = static_cast<ap_filter_type>(AP_FTYPE_CONNECTION - 1);
  unread_filter = ap_register_output_filter(
      kFilterName, guarded<&ReplyFile::send_unread, APR_EGENERAL>, nullptr, type);
}

ReplyFile* ReplyFile::open(request_rec* r, const gateway::FileRange& range, std::string_view script,
                           bool sendfile) {
  const int fd = fcntl(range.fd, F_DUPFD_CLOEXEC, 0);
  if (fd < 0) return nullptr;
  request_rec* owner = main_request(r);
  auto* file = new (apr_palloc(owner->pool, sizeof(ReplyFile)))
      ReplyFile(owner, fd, range, pool_c_string(owner->pool, script), sendfile);
  apr_pool_cleanup_register(owner->pool, file, guarded<&close_with_request, APR_SUCCESS>,
                            apr_pool_cleanup_null);
  if (!range.unchanging && r->main == nullptr && is_plain(r->connection)) {
    ap_add_output_filter_handle(unread_filter, nullptr, r, r->connection);
  }
  return file;
}

apr_bucket* ReplyFile::make_bucket(apr_bucket_alloc_t* allocator) {
  auto* bucket = static_cast<apr_bucket*>(apr_bucket_alloc(sizeof(apr_bucket), allocator));
  APR_BUCKET_INIT(bucket);
  bucket->free = apr_bucket_free;
  bucket->list = allocator;
  auto* share = static_cast<Share*>(apr_bucket_alloc(sizeof(Share), allocator));
  share->file = this;
  apr_bucket_shared_make(bucket, share, static_cast<apr_off_t>(range_.offset), range_.length);
  bucket->type = &kBucketType;
  if (range_.unchanging) give_to_httpd(bucket);
  return bucket;
}

apr_status_t ReplyFile::read(apr_bucket* bucket, const char** data, apr_size_t* length,
                             apr_read_type_e) {
  auto* share = static_cast<Share*>(bucket->data);
  ReplyFile& file = *share->file;
  const apr_size_t wanted = std::min<apr_size_t>(bucket->length, kPieceBytes);
  auto* piece = static_cast<char*>(apr_bucket_alloc(wanted, bucket->list));
  const ssize_t got = read_at(file.fd_, piece, wanted, bucket->start);
  if (got <= 0) {
    const apr_status_t why = got < 0 ? errno : APR_SUCCESS;
    apr_bucket_free(piece);
    *data = "";
    *length = 0;
    return file.fail(bucket, why);
  }
  const auto bytes = static_cast<apr_size_t>(got);
  if (bytes < bucket->length) apr_bucket_shared_split(bucket, bytes);
  release(share);
  apr_bucket_heap_make(bucket, piece, bytes, apr_bucket_free);
  *data = piece;
  *length = bytes;
  return APR_SUCCESS;
}

// Filters that do not look at the result of a read, such as mod_deflate, pass the error on that
// lies behind it: then the last chunk is left out, or the stream reset, as for a broken backend.
apr_status_t ReplyFile::fail(apr_bucket* bucket, apr_status_t why) {
  tell(why);
  r_->no_cache = 1;
  r_->connection->keepalive = AP_CONN_CLOSE;
  apr_bucket* error = ap_bucket_error_create(HTTP_BAD_GATEWAY, nullptr, r_->pool, bucket->list);
  APR_BUCKET_INSERT_AFTER(bucket, error);
  release(bucket->data);
  apr_bucket_immortal_make(bucket, "", 0);
  return APR_EGENERAL;
}

// Goes on as a file of httpd's own, which costs no thread while a slow client takes it.
void ReplyFile::give_to_httpd(apr_bucket* bucket) {
  const apr_off_t start = bucket->start;
  const apr_size_t length = bucket->length;
  at_httpd_ = true;
  release(bucket->data);
  apr_file_t* file = nullptr;
  apr_os_file_t os_file = fd_;
  const int flags =
      APR_FOPEN_READ | APR_FOPEN_BINARY | (sendfile_ ? APR_FOPEN_SENDFILE_ENABLED : 0);
  apr_os_file_put(&file, &os_file, flags, r_->pool);
  apr_bucket_file_make(bucket, file, start, length, r_->pool);
  apr_bucket_file_enable_mmap(bucket, 0);
}

apr_status_t ReplyFile::send_unread(ap_filter_t* filter, apr_bucket_brigade* brigade) {
  for (apr_bucket* bucket = APR_BRIGADE_FIRST(brigade); bucket != APR_BRIGADE_SENTINEL(brigade);
       bucket = APR_BUCKET_NEXT(bucket)) {
    if (bucket->type == &kBucketType)
      static_cast<Share*>(bucket->data)->file->give_to_httpd(bucket);
  }
  return ap_pass_brigade(filter->next, brigade);
}

bool ReplyFile::is_too_short() const noexcept {
  struct stat status {};
  return fstat(fd_, &status) == 0 &&
         static_cast<std::uint64_t>(status.st_size) < range_.offset + range_.length;
}

void ReplyFile::tell(apr_status_t why) {
  if (std::exchange(failed_, true)) return;
  char reason[128];
  const std::string what =
      why == APR_SUCCESS
          ? "has become shorter while it was sent"
          : fmt::format("cannot be read: {}", apr_strerror(why, reason, sizeof reason));
  log_request(r_, base::LogLevel::error, base::Message::reply_file_failed,
              fmt::format("the file that {} has returned {}; its reply ends before its {} bytes",
                          script_, what, range_.length));
}

void ReplyFile::release(void* data) {
  auto* share = static_cast<Share*>(data);
  if (apr_bucket_shared_destroy(share) == 0) return;
  if (!share->file->at_httpd_) share->file->close();
  apr_bucket_free(share);
}

void ReplyFile::close() noexcept {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

// httpd closes a connection without a word when a file of its own is too short.
apr_status_t ReplyFile::close_with_request(void* self) {
  auto& file = *static_cast<ReplyFile*>(self);
  if (file.at_httpd_ && file.r_->connection->aborted && file.is_too_short()) {
    file.tell(APR_SUCCESS);
  }
  file.close();
  return APR_SUCCESS;
}

}  // namespace pyhost::apache
