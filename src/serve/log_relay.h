// Passes a log on, line by line.
#pragma once

#include <string>
#include <string_view>

namespace pyhost::serve {

// Reads whole lines from a non-blocking descriptor and writes them to another. Owns neither.
class LogRelay {
 public:
  using Transform = std::string (*)(std::string_view line);

  LogRelay(int from, int to, Transform transform) noexcept
      : from_(from), to_(to), transform_(transform) {}

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
