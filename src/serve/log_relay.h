// Passes a log on, line by line.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace pyhost::serve {

// Reads whole lines from a non-blocking descriptor and writes them to another. Owns neither.
class LogRelay {
 public:
  // Nothing for a line that is not passed on.
  using Transform = std::function<std::optional<std::string>(std::string_view line)>;

  LogRelay(int from, int to, Transform transform)
      : from_(from), to_(to), transform_(std::move(transform)) {}

  int from() const noexcept { return from_; }

  enum class Progress { more, ended, reader_gone };
  // Passes on what there is now. At the end an unfinished line counts as one.
  Progress pump();

 private:
  bool pass_on(std::string_view line);

  int from_;
  int to_;
  Transform transform_;
  std::string unfinished_;
};

}  // namespace pyhost::serve
