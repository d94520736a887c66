#include "test/perf/request_rig.h"

#include <cstring>
#include <utility>

#include "base/log.h"
#include "base/strings.h"
#include "config/bootstrap.h"
#include "filters/builtin.h"

namespace sluice::test {

namespace {

struct RigSocket final : net::ListenSocket {
  explicit RigSocket(const net::Address& where) : where(where) {}
  const net::Address& address() const override { return where; }
  void close_queue() override {}
  void open_queue() override {}
  net::Address where;
};

struct RigAcceptor final : net::Acceptor {
  void want_accept(bool) override {}
  void take_waiting() override {}
};

}  // namespace

// ---- the seams

void RigPipe::run_handler() {
  net::Ready ready;
  ready.connected = std::exchange(connecting_, false);
  ready.readable = !in_.empty();
  handler_->on_ready(ready);
}

net::IoResult RigPipe::read(net::ReadLease& lease, size_t max, buffer::Buffer& into) {
  if (in_.empty()) {
    return {net::IoStatus::kAgain};
  }
  const size_t bytes = std::min({in_.size(), max, lease.room().size()});
  char* const to = lease.room().data();
  std::memcpy(to, in_.data(), bytes);
  lease.use(bytes);
  into.append_borrowed({to, bytes});
  in_.remove_prefix(bytes);
  return {net::IoStatus::kOk, bytes};
}

net::IoResult RigPipe::write(buffer::Buffer& from) {
  if (connecting_) {
    return {net::IoStatus::kAgain};
  }
  const size_t bytes = from.size();
  while (!from.empty()) {
    written_.append(from.front());
    from.drain(from.front().size());
  }
  return {net::IoStatus::kOk, bytes};
}

void RigLoop::turn(Duration later) {
  wheel_.set_now(wheel_.now() + later);
  (void)wheel_.run_due();
  batch_.swap(posted_);
  for (Function<void()>& work : batch_) {
    work();
  }
  batch_.clear();
  finish_turn();
}

Result<std::unique_ptr<net::ListenSocket>> RigNetwork::bind(const net::Address& address, const net::ListenOptions&,
                                                            uint32_t) {
  return std::unique_ptr<net::ListenSocket>(std::make_unique<RigSocket>(address));
}

std::unique_ptr<net::Acceptor> RigNetwork::accept(net::ListenSocket&, uint32_t, const net::AcceptOptions&,
                                                  net::OnAccept taken) {
  on_accept = std::move(taken);
  return std::make_unique<RigAcceptor>();
}

std::unique_ptr<net::Transport> RigNetwork::connect(const net::Address&, const net::ConnectOptions&) {
  auto pipe = std::make_unique<RigPipe>(true);
  connections.push_back(pipe.get());
  return pipe;
}

// ---- the rig

RequestRig::RequestRig(std::string_view yaml) {
  log::set_level(log::Level::kError);
  config::BootstrapOptions source;
  source.yaml = yaml;
  config::CompileOutcome outcome = config::compile_bootstrap(source, filters::builtin(), &platform_.files());
  if (!outcome.bootstrap) {
    error = outcome.error_text();
    return;
  }
  server::Options options;
  options.concurrency = 1;
  server_ = std::make_unique<server::Server>(platform_, options, std::move(*outcome.bootstrap));
  if (Result<void> started = server_->start(); !started) {
    error = started.error();
    return;
  }
  turns(3);
  if (!platform_.network->on_accept) {
    error = "no listener took connections";
    return;
  }
  next_client();
}

void RequestRig::next_client() {
  if (client_ != nullptr) client_->shrink();
  auto pipe = std::make_unique<RigPipe>(false);
  client_ = pipe.get();
  platform_.network->on_accept(std::move(pipe));
}

RequestRig::~RequestRig() {
  if (server_ != nullptr) {
    server_->shutdown();
    for (int i = 0; i < 1'000 && !server_->ended(); ++i) {
      turns(1);
    }
    server_.reset();
  }
}

server::WorkerSeams RigPlatform::make_worker(uint32_t) {
  auto worker_loop = std::make_unique<RigLoop>();
  auto worker_network = std::make_unique<RigNetwork>();
  loop = worker_loop.get();
  network = worker_network.get();
  return {std::move(worker_loop), std::move(worker_network), std::make_unique<SeededRandom>(2)};
}

void RequestRig::turns(int count) {
  for (int i = 0; i < count; ++i) {
    platform_.loop->turn(std::chrono::milliseconds(10));
    platform_.main.turn(std::chrono::milliseconds(10));  // the last one ends the worker
  }
}

void RequestRig::exchange(std::string_view request, std::string_view response) {
  constexpr Duration kTurn = std::chrono::microseconds(100);
  client_->forget_written();
  client_->feed(request);
  client_->run_handler();
  platform_.loop->turn(kTurn);
  if (platform_.network->connections.empty()) {
    return;
  }
  RigPipe& origin = *platform_.network->connections.back();
  if (origin.output().empty()) {  // it was not connected yet
    origin.run_handler();
    platform_.loop->turn(kTurn);
  }
  asked_ = !origin.output().empty();
  origin.forget_written();
  origin.feed(response);
  origin.run_handler();
  platform_.loop->turn(kTurn);
}

bool RequestRig::served(std::string_view body) const {
  return asked_ && platform_.network->connections.size() == 1 && client_->output().ends_with(body) &&
         !client_->closed();
}

std::string rig_config(int virtual_hosts, int routes) {
  std::string hosts;
  for (int i = 0; i < virtual_hosts; ++i) {
    hosts += virtual_hosts == 1
                 ? std::string("            - name: all\n              domains: [\"*\"]\n")
                 : cat("            - name: vhost", i, "\n              domains: [vhost", i, ".example.com]\n");
    hosts += "              routes:\n";
    for (int r = 0; r < routes; ++r) {
      hosts += cat("              - match: {prefix: ", routes == 1 ? std::string("/") : cat("/svc", r, "/"),
                   "}\n                route: {cluster: origin}\n");
    }
  }
  return cat(R"(
static_resources:
  listeners:
  - name: main
    address: {socket_address: {address: 10.0.0.2, port_value: 8080}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: main
          generate_request_id: false
          server_header_transformation: PASS_THROUGH
          route_config:
            virtual_hosts:
)",
             hosts, R"(
          http_filters:
          - name: envoy.filters.http.router
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
              suppress_envoy_headers: true
  clusters:
  - name: origin
    connect_timeout: 1s
    load_assignment:
      cluster_name: origin
      endpoints:
      - lb_endpoints:
        - endpoint: {address: {socket_address: {address: 10.0.0.9, port_value: 9000}}}
)");
}

}  // namespace sluice::test
