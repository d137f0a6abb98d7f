#include "httpd/scrape.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <sstream>

namespace pyhost::test {
namespace {

bool only_grows(std::string_view sample) {
  const std::string_view name = sample.substr(0, sample.find('{'));
  for (const char* suffix : {"_total", "_bucket", "_count", "_sum"}) {
    if (name.ends_with(suffix)) return true;
  }
  return false;
}

}  // namespace

Scrape::Scrape(const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const auto blank = line.rfind(' ');
    if (line.starts_with("#") || blank == line.npos) continue;
    const std::string sample = line.substr(0, blank);
    EXPECT_TRUE(samples_.emplace(sample, std::strtod(line.c_str() + blank, nullptr)).second)
        << sample << " is there twice";
  }
}

Scrape Scrape::of(const Httpd& httpd, const std::string& query) {
  const Response page = httpd.get("/figures" + query);
  EXPECT_EQ(page.status, 200) << page;
  return Scrape(page.body);
}

double Scrape::value(const std::string& sample) const {
  const auto found = samples_.find(sample);
  return found == samples_.end() ? -1 : found->second;
}

double Scrape::sum(std::string_view beginning) const {
  double sum = 0;
  for (const auto& [sample, value] : samples_) {
    if (sample.starts_with(beginning)) sum += value;
  }
  return sum;
}

std::string Scrape::decrease_since(const Scrape& before) const {
  for (const auto& [sample, value] : before.samples_) {
    if (!only_grows(sample)) continue;
    const double now = this->value(sample);
    if (now < value) return fmt::format("{} was {} and is {}", sample, value, now);
  }
  return {};
}

bool wait_for_sample(const Httpd& httpd, const std::string& sample, double value) {
  const bool came = wait_until([&] { return Scrape::of(httpd).value(sample) == value; });
  EXPECT_TRUE(came) << sample << " is " << Scrape::of(httpd).value(sample);
  return came;
}

}  // namespace pyhost::test
