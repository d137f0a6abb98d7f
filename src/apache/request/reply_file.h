// A file that is a reply, or a part of one, and that others may change while it is sent.
#pragma once

#include <string_view>

#include "apache/httpd_api.h"
#include "pyhost/gateway/exchange.h"

namespace pyhost::apache {

// Before a request is served: registers the filter that reply files need.
void register_reply_files();

// It is read and never mapped, because reading a mapped file that has become shorter ends the
// process. A file that is shorter than its range breaks its reply off, whichever filter reads it,
// and is one record in the request's log. Used by whichever thread has the request; lives as long
// as the main request, as what httpd holds for a slow client may outlive a subrequest.
class ReplyFile {
 public:
  // Duplicates the descriptor. Null, with errno set, when that cannot be done. `script` is for the
  // log.
  static ReplyFile* open(request_rec* r, const gateway::FileRange& range, std::string_view script,
                         bool sendfile);

  // The range as a bucket, once.
  apr_bucket* make_bucket(apr_bucket_alloc_t* allocator);

  // Whether the reply had to be broken off, and the log says so.
  bool has_failed() const noexcept { return failed_; }

 private:
  struct Share;

  ReplyFile(request_rec* r, int fd, const gateway::FileRange& range, const char* script,
            bool sendfile) noexcept
      : r_(r), fd_(fd), range_(range), script_(script), sendfile_(sendfile) {}

  static apr_status_t read(apr_bucket* bucket, const char** data, apr_size_t* length,
                           apr_read_type_e blocking);
  static apr_status_t send_unread(ap_filter_t* filter, apr_bucket_brigade* brigade);
  static apr_status_t close_with_request(void* self);
  static void release(void* share);
  static const apr_bucket_type_t kBucketType;

  apr_status_t fail(apr_bucket* bucket, apr_status_t why);
  void give_to_httpd(apr_bucket* bucket);
  bool is_too_short() const noexcept;
  void tell(apr_status_t why);
  void close() noexcept;

  friend void register_reply_files();

  request_rec* r_;
  int fd_;
  gateway::FileRange range_;
  const char* script_;
  bool sendfile_;
  bool at_httpd_ = false;  // which sends it by itself from now on
  bool failed_ = false;
};

}  // namespace pyhost::apache
