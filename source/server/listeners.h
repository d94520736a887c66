// Listeners: the listeners of the process, which come, change and go while it runs.
//
//   add_or_update() --> warming (bound, nobody accepts yet) --ready()--> active (on every worker)
//   active --replaced by a warm update, or remove()--> draining --drain time--> gone
//   active --updated in place: only filter chains differ--> active; the chains that the update left out drain
//
// Sockets outlive plans: as long as the addresses of a listener stay the same, every plan of it (and a listener that
// takes the addresses of one that drains) listens on the same ones, and a connection in their queues is never lost.
// Before the workers start nothing is warming: they begin with what is there then.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/function.h"
#include "base/result.h"
#include "model/listener_plan.h"
#include "server/options.h"
#include "server/platform.h"
#include "server/worker.h"
#include "stats/names_listener.h"
#include "stats/registry.h"

namespace sluice::server {

// Who may change a listener: one of the bootstrap stays as it is.
enum class ListenerSource : uint8_t { kStatic, kDynamic };

// What add_or_update() made of a plan.
enum class ListenerChange : uint8_t {
  kNone,      // it is the same as what is there, static, or listeners of its direction were stopped
  kAdded,     // of a new name
  kModified,  // takes the place of the one that serves, or of the one that was warming
  kRestored,  // the one that serves, which an update that was warming would have replaced
};

// What a change leaves behind, which is told to go and has the drain time for it. A plain value.
struct Drained {
  size_t chains = 0;       // filter chains
  size_t connections = 0;  // theirs, on all workers, when these were told
};
using OnDrained = Function<void(const Drained&)>;

// The plans of one name. A plain value.
struct ListenerPlans {
  std::string name;
  model::ListenerPlanPtr active, warming;        // null: none
  std::vector<model::ListenerPlanPtr> draining;  // the youngest first
};

// Owned by the Server. Thread: main.
class Listeners {
 public:
  Listeners(Platform& platform, const Options& options, uint32_t workers,
            stats::Block<stats::ListenerManagerStat> block);
  ~Listeners();
  Listeners(const Listeners&) = delete;
  Listeners& operator=(const Listeners&) = delete;

  // Binds what it needs. The error says why it cannot be: what is there stays as it is then. A plan that differs from
  // the active one in filter chains only is kept with those of its chains that have not changed: active() and warming()
  // say what came of it. It waits for ready() unless it is kNone or kRestored.
  Result<ListenerChange> add_or_update(const model::ListenerPlanPtr& plan, ListenerSource source);
  // Everything that the newest plan of this name refers to is there. `on_drained` is called once the workers have been
  // told, if something drains.
  void ready(std::string_view name, OnDrained on_drained = {});
  // False: there is none, or it is static.
  bool remove(std::string_view name, OnDrained on_drained = {});

  model::ListenerPlanPtr active(std::string_view name) const;
  model::ListenerPlanPtr warming(std::string_view name) const;
  // Whether an earlier plan of it still has connections, or may have.
  bool draining(std::string_view name) const;
  // All, in the order in which they were added.
  std::vector<ListenerPlans> plans() const;
  // Those that wait for ready(), before the workers start.
  size_t waiting() const;

  // Internal listeners are refused until then: they need the bootstrap's extension.
  void allow_internal() { internal_ = true; }
  // Before their loops run. They outlive close().
  void start(const std::vector<std::unique_ptr<Worker>>& workers);
  // Sockets close and connections go on. Listeners that come later do not count any more.
  void stop_accepting(bool inbound_only);
  // Nothing happens any more: the workers are about to end. clear() once they have.
  void close();
  void clear();

  // ---- for the admin pages
  struct Serving {
    std::string name;
    std::vector<net::Address> addresses;  // the real ones
  };
  std::vector<Serving> serving() const;
  // Of those that may have connections.
  std::set<std::string> stat_prefixes() const;

 private:
  // Where one or several plans listen.
  struct Sockets {
    std::vector<net::Address> wanted;
    std::vector<net::ListenOptions> options;                  // of each
    std::vector<std::unique_ptr<net::ListenSocket>> sockets;  // empty once they were closed
    std::vector<net::Address> addresses;                      // wanted, each port of 0 replaced
  };
  using SocketsPtr = std::shared_ptr<Sockets>;
  // One plan of a listener from bind to close.
  struct Generation {
    uint64_t id = 0;
    model::ListenerPlanPtr plan;
    SocketsPtr sockets;
    ListenerSource source = ListenerSource::kDynamic;
    bool ready = false;
    bool in_place = false;  // waits to change the active one, whose sockets it has
  };
  struct Entry {
    std::string name;
    std::optional<Generation> active, warming;
  };
  struct Draining {
    Generation listener;
    OnDrained on_drained;
    bool stopped = false;  // the workers were told not to accept for it any more
    std::unique_ptr<event::Timer> timer;
  };
  struct DrainingChains {
    uint64_t listener = 0, update = 0;
    size_t count = 0;
    std::unique_ptr<event::Timer> timer;
  };

  const Entry* find(std::string_view name) const;
  Entry* find(std::string_view name) { return const_cast<Entry*>(std::as_const(*this).find(name)); }
  Result<SocketsPtr> sockets_for(const model::ListenerPlan& plan, const Entry* entry);
  Result<SocketsPtr> bind(const model::ListenerPlan& plan);
  Result<std::unique_ptr<net::ListenSocket>> bind(const net::Address& address, const net::ListenOptions& options);
  bool is_taken(const std::vector<net::Address>& addresses, const net::ListenOptions& options) const;
  proxy::ListenOn listen_on(const Generation& listener) const;
  void activate(Entry& entry, OnDrained on_drained);
  void update_in_place(Entry& entry, OnDrained on_drained);
  void add_to_workers(const Generation& listener);
  void drain(Generation listener, OnDrained on_drained);
  void stop(Draining& draining);
  void drain_chains(uint64_t listener, uint64_t update, size_t count);
  // `work` on each worker's thread, then `done` here, with the sum of what the work returned.
  template <typename Work>
  void on_workers(Work work, Function<void(size_t)> done);
  static void tell(Draining& draining, size_t connections);
  Draining* find_draining(uint64_t id);
  void show_totals();

  Platform& platform_;
  const uint32_t workers_count_;
  const Duration drain_time_;
  stats::Block<stats::ListenerManagerStat> block_;
  std::vector<Entry> entries_;
  std::list<Draining> draining_;  // the youngest first
  std::list<DrainingChains> draining_chains_;
  std::vector<Worker*> workers_;  // empty until they start, and once they end
  bool internal_ = false;
  bool stopped_all_ = false, stopped_inbound_ = false;
  const std::shared_ptr<bool> open_ = std::make_shared<bool>(true);  // false: what was posted comes too late
  uint64_t next_id_ = 1;                                             // of generations and updates; 0 is none
};

}  // namespace sluice::server
