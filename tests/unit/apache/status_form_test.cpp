#include "apache/status/status_form.h"

#include <gtest/gtest.h>

namespace pyhost::apache {
namespace {

// As Prometheus 2 sends it.
constexpr char kPrometheus[] =
    "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;"
    "q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";

struct FormCase {
  const char* query;
  const char* accept;
  StatusForm form;
};

TEST(StatusForm, IsWhatTheQueryOrAcceptSays) {
  constexpr FormCase kCases[] = {
      {"", "", StatusForm::json},
      {"", "*/*", StatusForm::json},
      {"", "text/html,application/xhtml+xml", StatusForm::page},
      {"workers=1", "application/xml;q=0.9, Text/HTML;q=0.1,*/*;q=0.8", StatusForm::page},
      {"", "text/html;q=0,*/*", StatusForm::json},
      {"html", "", StatusForm::page},
      {"json", "text/html", StatusForm::json},
      {"metrics", "text/html", StatusForm::prometheus},
      {"", "text/plain", StatusForm::json},
      {"", kPrometheus, StatusForm::openmetrics},
      {"", "text/plain; version=0.0.4", StatusForm::prometheus},
      {"metrics", "", StatusForm::prometheus},
      {"metrics", "*/*", StatusForm::prometheus},
      {"workers=1&metrics", "", StatusForm::prometheus},
      {"metrics=", "", StatusForm::prometheus},
      {"metrics", kPrometheus, StatusForm::openmetrics},
      {"metrics", "APPLICATION/OpenMetrics-Text ; Version=1.0.0", StatusForm::openmetrics},
      {"metrics", "application/openmetrics-text; version=2.0.0", StatusForm::prometheus},
      {"metrics", "application/openmetrics-text; q=0", StatusForm::prometheus},
      {"", "text/plain;version=0.0.4;q=0.9,application/openmetrics-text;q=0.1",
       StatusForm::prometheus},
      {"json", kPrometheus, StatusForm::json},
      {"metricsx", "", StatusForm::json},
      {"", ";;,,=;q=x", StatusForm::json},
  };
  for (const FormCase& each : kCases) {
    EXPECT_EQ(status_form_of(each.query, each.accept), each.form)
        << "?" << each.query << " Accept: " << each.accept;
  }
}

TEST(StatusForm, TellsEachWorkerOnlyWhenAsked) {
  EXPECT_TRUE(wants_workers("workers=1"));
  EXPECT_TRUE(wants_workers("metrics&workers=1"));
  for (const char* query : {"", "workers", "workers=0", "metrics", "xworkers=1", "=1"}) {
    EXPECT_FALSE(wants_workers(query)) << query;
  }
}

TEST(StatusForm, HasValuesInItsQuery) {
  EXPECT_EQ(value_in("group=shop", "group"), "shop");
  EXPECT_EQ(value_in("a=1&group=sh%20op&group", "group"), "sh%20op");
  for (const char* query : {"", "group", "group=", "xgroup=shop", "&&"}) {
    EXPECT_EQ(value_in(query, "group"), "") << query;
  }
}

}  // namespace
}  // namespace pyhost::apache
