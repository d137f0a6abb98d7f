// A report about a configuration, for people.
#pragma once

#include <string>
#include <string_view>

#include "control/check_report.h"
#include "pyhost/base/result.h"

namespace pyhost::cli {

// Who serves what, what is wrong and what to write instead. A text with an end of line.
std::string check_text(const control::CheckReport& report);

// What becomes of a request, a line for each thing that is known of it.
std::string explanation_text(const control::Explanation& explanation);

// Whether something has to be mended.
bool has_mistakes(const control::CheckReport& report) noexcept;

// What httpd has said when it could not read its configuration, as a finding.
control::Finding finding_of_httpd(std::string_view said);

// A URL as far as it says which server is asked for what.
struct AskedUrl {
  std::string host;
  std::string port;
  std::string path;
};

// "http://shop.example:8080/cart", "shop.example/cart" or "/cart". Fails with a sentence.
base::Result<AskedUrl> parse_url(std::string_view url);

}  // namespace pyhost::cli
