// Origin: a scripted upstream of a case, which writes down everything that it receives.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "test/player/http1_message.h"
#include "test/player/spec.h"
#include "test/player/wire.h"

namespace sluice::player {

// One request, or one connection of bytes, as the origin saw it.
struct Record {
  Value::Map facts;
  std::string ended;       // empty: it goes on
  bool told = false;       // to the step in which it ended
  bool left_open = false;  // by a step; no later one waits for it
  Value tell();
};

// Thread: the simulation's.
class Origin {
 public:
  Origin(Stage& stage, test::SimMachine& machine, std::string name, Spec spec, Letters letters, const std::string& pki);
  ~Origin();
  Origin(const Origin&) = delete;
  Origin& operator=(const Origin&) = delete;

  void start();
  // Nobody listens any more, and every connection is ended: "close" or "reset".
  void stop(std::string_view how);
  void drop(std::string_view how);
  // Other rules from now on.
  void respond(Spec rules);

  // Every request or connection, in order of arrival.
  const std::vector<std::shared_ptr<Record>>& log() const { return log_; }
  const std::string& name() const { return name_; }
  const std::string& protocol() const { return protocol_; }
  bool waited_for() const { return protocol_ != "tcp" && protocol_ != "tls"; }
  uint64_t connections() const { return connections_; }

 private:
  Task<void> serve(Wire& wire);
  Task<void> serve_http1(Wire& wire, uint64_t number);
  Task<bool> answer_http1(Wire& wire, Record& record, Spec rule, std::string_view method, Body& request);
  Task<bool> send_chunked(Wire& wire, Record& record, Spec rule, std::string& body);
  Task<void> tunnel(Wire& wire, Record& record, bool echo);
  Task<void> serve_tcp(Wire& wire, uint64_t number);
  Task<void> serve_http2(Wire& wire, uint64_t number);
  static void cut(Wire& wire, Record& record, std::string_view how);

 public:
  // For its connections: a new record; the first rule that matches and is not used up (without one what it says is
  // empty); what the rule answers.
  std::shared_ptr<Record> begin(const Wire& wire, uint64_t number, std::string_view protocol);
  Spec rule_for(std::string_view method, std::string_view target, const Pairs& headers);
  struct Reply {
    int status;
    Pairs headers;
    std::string body;
  };
  Reply reply(Spec rule, const std::string& request_body) const;

 private:
  Stage& stage_;
  test::SimMachine& machine_;
  const std::string name_;
  const Spec spec_;
  const Letters letters_;
  const std::string protocol_;
  std::vector<Spec> rules_;
  std::map<size_t, size_t> used_;  // of a rule: how often
  std::vector<std::shared_ptr<Record>> log_;
  uint64_t connections_ = 0;
  TlsLayer::Server tls_;  // null without TLS
  std::vector<std::unique_ptr<Wire>> wires_;
  std::vector<std::unique_ptr<class Http2OriginConnection>> http2_;
  std::unique_ptr<net::ListenSocket> socket_;
  std::unique_ptr<net::Acceptor> acceptor_;
};

}  // namespace sluice::player
