// request_steps: runs requests through the whole proxy between its seams, for callgrind to count the instructions of
// each step of docs/life_of_a_request.md. test/perf/instructions.py runs it and judges; by hand:
//
//   valgrind --tool=callgrind --collect-atstart=no build/release/test/perf/request_steps SCENARIO REQUESTS
//
// A step ends where the next one begins. What the server does before the requests is not counted.
#include <valgrind/callgrind.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/strings.h"
#include "base/trace.h"
#include "test/perf/request_rig.h"

namespace sluice::test {
namespace {

constexpr int kWarmUp = 64;

// A step has begun: what ran since the last one goes to a dump with the name of this one.
void mark(const char* step) { CALLGRIND_DUMP_STATS_AT(step); }

int run(const std::string& scenario, int requests) {
  const bool edge = scenario == "edge";
  // As the benchmark has them: 500 virtual hosts with 10 routes each, and the load goes to one that is not the first.
  RequestRig rig(edge ? rig_config(500, 10) : rig_config(1, 1));
  if (!rig.error.empty()) {
    std::fprintf(stderr, "%s\n", rig.error.c_str());
    return 1;
  }
  const size_t size = scenario == "body_100k" ? 102'400 : 512;
  const std::string request =
      scenario == "post_10k"
          ? cat("POST /bench HTTP/1.1\r\nHost: bench.local\r\nContent-Type: application/octet-stream\r\n"
                "Content-Length: 10240\r\n\r\n",
                std::string(10'240, 'b'))
          : cat("GET /svc7/items/7?size=", size,
                " HTTP/1.1\r\nHost: vhost137.example.com\r\nUser-Agent: wrk\r\nAccept: */*\r\n\r\n");
  const std::string response =
      cat("HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nDate: Sun, 22 Nov 2026 12:00:00 GMT\r\n"
          "Cache-Control: no-store\r\nX-Backend: 0\r\nContent-Length: ",
          size, "\r\n\r\n", std::string(size, 'a'));
  for (int i = 0; i < kWarmUp; ++i) {
    rig.exchange(request, response);
    if (!rig.served("aaaa")) {
      std::fprintf(stderr, "exchange %d failed\n", i);
      return 1;
    }
  }
  trace::sink = mark;
  CALLGRIND_START_INSTRUMENTATION;
  CALLGRIND_TOGGLE_COLLECT;
  bool good = true;
  for (int i = 0; i < requests; ++i) {
    rig.exchange(request, response);
    mark("end");
    CALLGRIND_TOGGLE_COLLECT;
    good = good && rig.served("aaaa");
    CALLGRIND_TOGGLE_COLLECT;
  }
  CALLGRIND_TOGGLE_COLLECT;
  trace::sink = nullptr;
  return good ? 0 : 1;
}

}  // namespace
}  // namespace sluice::test

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: request_steps small|post_10k|body_100k|edge REQUESTS\n");
    return 2;
  }
  return sluice::test::run(argv[1], std::atoi(argv[2]));
}
