// A reply on its way to a client that may be slow.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "pyhost/base/unique_fd.h"
#include "pyhost/gateway/client_exchange.h"
#include "remote/remote_settings.h"
#include "remote/reply_buffer.h"

namespace pyhost::remote {

// What became of a part of the reply.
enum class Passed {
  on,           // to the client, or it is kept for it
  taken_over,   // the exchange takes no more: the client has gone, or httpd answers itself
  client_gone,  // nobody listens any more
  client_slow,  // for longer than it may be
  lost,         // what was kept cannot be read; see loss()
};

// Gives the client what it takes without waiting and keeps the rest, so that the worker does not
// wait for the client. Used by the thread that serves the request; exchange and settings outlive
// it. Any result but Passed::on is final.
class Delivery {
 public:
  Delivery(gateway::ClientExchange& exchange, const RemoteSettings& settings) noexcept;

  // --- What the worker sends, in its order ---
  // Texts and bytes stay until settle(). Behind a file comes nothing before that.
  void begin(const gateway::ResponseHead& head) { head_ = head; }
  void add(std::string_view bytes) { blocks_.push_back(bytes); }
  void add_file(base::UniqueFd file, const gateway::FileRange& range) noexcept;
  // They come behind all that is added, with the end. Copied.
  void keep_trailers(std::span<const gateway::Header> trailers);
  // The application pauses: what there is is due after response-flush-delay.
  void pause();

  // Whether something was added and not settled.
  bool unsettled() const noexcept { return head_ || !blocks_.empty() || has_file(); }
  bool has_file() const noexcept { return file_.valid(); }
  // Passes on or keeps everything that was added. Waits for a client only when a file or what
  // cannot be kept has to be passed on.
  Passed settle();

  // The same when the client can be written to again, which begins its time anew.
  Passed go_on();

  // The reply is complete. Whether nothing that was added has to stay for finish().
  bool stands_alone();
  // Hands the rest over to httpd, which may wait for the client.
  Passed finish();

  // Why a part is lost: a sentence.
  const std::string& loss() const noexcept { return loss_; }

  // The rest of the reply never comes: passes on what there is as far as the client takes it.
  void break_off();

  // --- What to wait for ---
  // Whether there is no room for more.
  bool full() const noexcept { return buffer_.full(); }
  // Whether settle() can do more as soon as the client can be written to.
  bool client_is_behind() const noexcept { return behind_since_.has_value(); }
  // When settle() is due, whatever arrives.
  std::optional<base::Clock::time_point> flush_at() const noexcept;
  // When a client that is behind has had its time.
  std::optional<base::Clock::time_point> patience_ends_at() const noexcept;
  // How long that is; zero for ever.
  std::chrono::milliseconds patience() const noexcept;

  // Whether the client has been given a part of the reply.
  bool head_sent() const noexcept { return head_sent_; }

 private:
  using Then = gateway::ReplyPart::Then;

  Passed send(std::span<const std::string_view> blocks, const gateway::FileRange* file, Then then);
  Passed send_first_piece();
  Passed send_all(Then then);
  Passed send_kept_piece();
  Passed send_while_ready();
  Passed send_to_stream();
  Passed wait_and_send_kept();
  bool keep();
  bool flush_is_due() const noexcept { return flush_at_ && base::Clock::now() >= *flush_at_; }
  Then then_now() const noexcept { return flush_at_ ? Then::pause : Then::more; }

  gateway::ClientExchange& exchange_;
  const RemoteSettings& settings_;
  const gateway::ClientSocket client_;
  // Added and not settled; comes behind what the buffer has.
  std::optional<gateway::ResponseHead> head_;
  std::vector<std::string_view> blocks_;
  base::UniqueFd file_;
  gateway::FileRange range_;
  ReplyBuffer buffer_;
  std::vector<std::pair<std::string, std::string>> trailers_;
  std::string loss_;
  bool keeps_nothing_ = false;  // the buffer has failed
  bool head_sent_ = false;
  std::optional<base::Clock::time_point> flush_at_;
  std::optional<base::Clock::time_point> behind_since_;
};

}  // namespace pyhost::remote
