// What a process says about itself through tests/apps/process.wsgi.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "harness/httpd.h"

namespace pyhost::test {

using Json = nlohmann::json;

// An empty object, and the test has failed, when there is none.
inline Json portrait_of(const Httpd& httpd, std::string path = "/") {
  const Response reply = httpd.get(std::move(path));
  Json portrait = Json::parse(reply.body, nullptr, false);
  if (reply.status == 200 && portrait.is_object()) return portrait;
  ADD_FAILURE() << reply;
  return Json::object();
}

}  // namespace pyhost::test
