#include "apache/status/status_html.h"

#include <algorithm>
#include <ctime>

#include "apache/status/group_html.h"
#include "apache/status/html.h"
#include "apache/status/page_parts.h"

namespace pyhost::apache {
namespace {

using metrics::GroupReport;
using metrics::GroupState;

std::string time_of_day(std::int64_t us) {
  const auto seconds = static_cast<std::time_t>(us / 1'000'000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[sizeof "2000-01-01 00:00:00 UTC"];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts)};
}

bool is_good(const GroupReport& group) noexcept {
  return group.state() == GroupState::serving;
}

// One line for all groups, with links to those that are not as they should be.
void put_summary(Html& html, const std::vector<GroupReport>& groups) {
  const auto good = std::ranges::count_if(groups, is_good);
  if (good == std::ssize(groups)) {
    html.put("<p class=\"summary good\">Everything is served.</p>\n");
    return;
  }
  const bool any_bad = std::ranges::any_of(
      groups, [](const GroupReport& group) { return group.state() == GroupState::failing; });
  html.put("<p class=\"summary {}\">", any_bad ? "bad" : "warn");
  std::string_view before = "";
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (is_good(groups[i])) continue;
    html.put("{}<a href=\"#group-{}\">{}</a> is {}", before, i, html_text(groups[i].name()),
             name_of(groups[i].state()));
    before = ", ";
  }
  html.put(".</p>\n");
}

void put_head(Html& html, const StatusPage& page) {
  const std::string nonce = html_text(page.nonce);
  html.put(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n"
      "<noscript><meta http-equiv=\"refresh\" content=\"10\"></noscript>\n"
      "<link rel=\"icon\" href=\"data:,\">\n<title>{}: pyhost</title>\n<style nonce=\"{}\">",
      html_text(page.server), nonce);
  html.put_as_it_is(kPageStyle);
  html.put("</style>\n</head>\n");
}

}  // namespace

std::string status_html(const StatusPage& page) {
  Html html;
  put_head(html, page);
  html.put(
      "<body>\n<div class=\"wrap\">\n<header><h1>{}</h1><p>{}</p>"
      "<p id=\"pulse\" aria-live=\"off\">{}</p></header>\n<main data-now=\"{}.{:06}\">\n",
      html_text(page.server), html_text(page.software), time_of_day(page.now_us),
      page.now_us / 1'000'000, page.now_us % 1'000'000);
  put_summary(html, page.groups);
  const Moment now{.us = page.now_us, .clock = page.now};
  const Stacks stacks = page.has_stacks ? Stacks::linked : Stacks::none;
  for (std::size_t i = 0; i < page.groups.size(); ++i) {
    put_group(html, page.groups[i], i, now, stacks);
  }
  html.put(
      "</main>\n<footer><p>The same for programs: <a href=\"?json\">JSON</a>, "
      "<a href=\"?metrics\">metrics for Prometheus</a>.</p></footer>\n</div>\n"
      "<script nonce=\"{}\">",
      html_text(page.nonce));
  html.put_as_it_is(kPageScript);
  html.put("</script>\n</body>\n</html>\n");
  return std::move(html).take();
}

}  // namespace pyhost::apache
