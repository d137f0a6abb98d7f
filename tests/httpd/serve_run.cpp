#include "httpd/serve_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <regex>

#include "harness/wait.h"

namespace pyhost::test {
namespace {

namespace fs = std::filesystem;

}  // namespace

Serve::Serve(const TempDir& folder, std::vector<std::string> arguments,
             const Environment& environment)
    : Serve(folder, {PYHOST_TEST_PROGRAM, "serve"}, std::move(arguments), environment) {}

Serve::Serve(const TempDir& folder, std::vector<std::string> command,
             std::vector<std::string> arguments, const Environment& environment)
    : temporary_(folder.path() + "/tmp"), output_file_(folder.path() + "/output.txt") {
  fs::remove(output_file_);
  fs::create_directories(temporary_);
  command.insert(command.begin(), {"/usr/bin/env", "-C", folder.path()});
  command.insert(command.end(), {"--port", "0"});
  command.insert(command.end(), arguments.begin(), arguments.end());
  Environment all = {{"PATH", "/usr/bin:/bin"}, {"TMPDIR", temporary_}};
  all.insert(all.end(), environment.begin(), environment.end());
  process_.emplace(ProcessSpec{
      .arguments = std::move(command), .environment = all, .output_file = output_file_});
}

std::string Serve::url() {
  std::smatch found;
  std::string text;
  const std::regex greeting("Serving .* at (https?://[^/]*:\\d+/)");
  const bool up = wait_until([&] {
    text = output();
    return std::regex_search(text, found, greeting) || process_->poll_status();
  });
  EXPECT_TRUE(up && !found.empty()) << text;
  return found.empty() ? std::string() : found[1].str();
}

int Serve::port() {
  const std::string text = url();
  const auto colon = text.rfind(':');
  return colon == text.npos ? 0 : std::stoi(text.substr(colon + 1));
}

HttpClient Serve::client() {
  return HttpClient({.port = port()});
}

void Serve::stop(int signal_number) {
  process_->signal(signal_number);
  expect_end(0);
}

void Serve::expect_end(int exit_code) {
  const auto status = process_->wait_status();
  ASSERT_TRUE(status.has_value()) << "pyhost does not end:\n" << output();
  EXPECT_EQ(*status, exit_code << 8) << describe_status(*status) << '\n' << output();
  EXPECT_THAT(files_left(), testing::IsEmpty());
}

bool Serve::wait_for_output(const std::string& text) {
  return wait_until([&] { return output().find(text) != std::string::npos; });
}

std::string Serve::output() const {
  return read_file(output_file_);
}

std::vector<std::string> Serve::files_left() const {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(temporary_)) names.push_back(entry.path());
  return names;
}

std::string refusal(const TempDir& folder, std::vector<std::string> arguments,
                    const Environment& environment) {
  Serve serve(folder, std::move(arguments), environment);
  serve.expect_end(1);
  EXPECT_THAT(serve.output(), testing::Not(testing::HasSubstr("Serving")));
  return serve.output();
}

}  // namespace pyhost::test
