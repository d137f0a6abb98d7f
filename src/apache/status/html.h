// Writing HTML.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

namespace pyhost::apache {

// `text`, whatever it is, as it may stand between tags and in an attribute's quotes. What would do
// more than be read, as in logs, is shown as its escape.
std::string html_text(std::string_view text);

// `text`, whatever it is, as it may stand in the query of a URL.
std::string url_text(std::string_view text);

// A document that grows.
class Html {
 public:
  // PRECONDITION: what is put into it is markup, numbers or html_text().
  template <class... Arguments>
  void put(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Arguments>(arguments)...);
  }
  void put_as_it_is(std::string_view markup) { text_ += markup; }

  std::string take() && { return std::move(text_); }

 private:
  std::string text_;
};

// --- Numbers, as people read them ---

// "12,345".
std::string count_text(std::uint64_t number);
// "48 MiB".
std::string bytes_text(std::uint64_t bytes);

}  // namespace pyhost::apache
