#include "worker/engine_settings.h"

#include <gmock/gmock.h>

namespace pyhost::worker {
namespace {

using testing::ElementsAre;

control::WorkerBrief brief() {
  control::WorkerBrief brief;
  brief.group.name = "blog";
  brief.group.home = "/srv/blog";
  brief.group.python_path = {"/srv/lib"};
  brief.group.threads = 3;
  brief.settings.engine.optimize = 2;
  brief.settings.engine.switch_interval_seconds = 0.5;
  brief.assignment.python_home = "/srv/venv";
  brief.assignment.python_program = "/srv/venv/bin/python";
  return brief;
}

TEST(EngineSettings, AreThoseOfHttpdTheGroupAndTheAssignment) {
  const gateway::EngineSettings engine = engine_settings_of(brief());
  EXPECT_EQ(engine.optimize, 2);
  EXPECT_EQ(engine.switch_interval_seconds, 0.5);
  EXPECT_EQ(engine.process_group, "blog");
  EXPECT_EQ(engine.first_path, "/srv/blog");
  EXPECT_THAT(engine.python_path, ElementsAre("/srv/lib"));
  EXPECT_EQ(engine.python_home, "/srv/venv");
  EXPECT_EQ(engine.python_program, "/srv/venv/bin/python");
  EXPECT_EQ(engine.threads_max, 3);
  EXPECT_TRUE(engine.multithread);
  EXPECT_EQ(engine.processes_max, 1);
  EXPECT_FALSE(engine.multiprocess);
  EXPECT_TRUE(engine.restrict_signal);
  EXPECT_EQ(engine.changed_scripts, gateway::ChangedScripts::refused);
}

TEST(EngineSettings, SayHowEventLoopsRun) {
  using std::chrono::milliseconds;
  control::WorkerBrief usual = brief();
  EXPECT_EQ(engine_settings_of(usual).event_loops, gateway::EventLoops{});
  usual.group.lifespan = gateway::LifespanUse::on;
  usual.group.loop = gateway::LoopKind::uvloop;
  usual.group.startup_timeout = milliseconds(3);
  usual.group.disconnect_grace = milliseconds(4);
  usual.group.websocket_ping_interval = milliseconds(5);
  usual.group.websocket_ping_timeout = milliseconds(6);
  usual.group.websocket_message_bytes_max = 7;
  usual.group.websocket_compression = true;
  usual.group.websocket_connect_timeout = milliseconds(8);
  usual.group.websocket_drain = milliseconds(9);
  EXPECT_EQ(engine_settings_of(usual).event_loops,
            (gateway::EventLoops{.lifespan = gateway::LifespanUse::on,
                                 .kind = gateway::LoopKind::uvloop,
                                 .startup_timeout = milliseconds(3),
                                 .disconnect_grace = milliseconds(4),
                                 .web_sockets = {.ping_interval = milliseconds(5),
                                                 .ping_timeout = milliseconds(6),
                                                 .message_bytes_max = 7,
                                                 .compression = true,
                                                 .connect_timeout = milliseconds(8),
                                                 .drain = milliseconds(9)}}));
}

TEST(EngineSettings, OfTheGroupComeBeforeThoseOfTheServer) {
  control::WorkerBrief own = brief();
  own.group.switch_interval = 0.1;
  own.group.processes = 1;
  const gateway::EngineSettings engine = engine_settings_of(own);
  EXPECT_EQ(engine.switch_interval_seconds, 0.1);
  EXPECT_TRUE(engine.multiprocess);
}

// It ends by the SystemExit that SIGTERM raises in it, and has nobody to give a changed script to.
TEST(EngineSettings, OfAServiceLeaveItSignals) {
  control::WorkerBrief service = brief();
  service.group.threads = 0;
  const gateway::EngineSettings engine = engine_settings_of(service);
  EXPECT_FALSE(engine.restrict_signal);
  EXPECT_EQ(engine.changed_scripts, gateway::ChangedScripts::reimported);
}

}  // namespace
}  // namespace pyhost::worker
