// What a worker's reply has to be like, whatever the worker itself has looked at: an application
// can write to its connection.
#pragma once

#include <cstdint>
#include <optional>

#include "pyhost/base/result.h"
#include "pyhost/gateway/exchange.h"

namespace pyhost::remote {

// Follows one reply. Sentences are about the worker: "the worker sent ...". Not synchronised.
class ReplyRules {
 public:
  // Of a reply to HEAD nobody sees a body.
  explicit ReplyRules(bool is_head) noexcept : bodiless_(is_head) {}

  // Once, before all others: final status, reason and headers without control characters, no header
  // that is for httpd to decide, and a Content-Length that httpd can count.
  base::Result<> begin(const gateway::ResponseHead& head);
  // The same of a head with status 101, behind which is no body but a stream.
  static base::Result<> begin_stream(const gateway::ResponseHead& head);

  // How many of the next so many bytes of the body are to be sent.
  std::uint64_t admit(std::uint64_t bytes) noexcept;
  // Whether the worker has sent more than its Content-Length.
  bool exceeded() const noexcept { return exceeded_; }

  // The same for a range of a file, of which a reply has only a few. Fails for what is no file
  // that httpd can send without waiting for somebody.
  base::Result<std::uint64_t> admit_file(const gateway::FileRange& range);

  // At the end: whether everything is there that Content-Length has promised.
  base::Result<> end() const;

  // Whether a worker may ask for an answer with that status in place of a reply.
  static constexpr bool may_answer(int status) noexcept { return status >= 400 && status <= 599; }

 private:
  bool bodiless_;
  unsigned files_ = 0;
  bool exceeded_ = false;
  std::optional<std::uint64_t> remaining_;  // of Content-Length
};

}  // namespace pyhost::remote
