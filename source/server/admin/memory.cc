// /memory: what the process has, and which of our accounts holds how much.
#include <malloc.h>
#include <unistd.h>

#include <fstream>
#include <map>

#include "base/owner.h"
#include "server/admin/json_writer.h"
#include "server/admin/page.h"
#include "server/admin/process_memory.h"

namespace sluice::server::admin {

ProcessMemory process_memory() {
  const struct mallinfo2 heap = mallinfo2();
  ProcessMemory out;
  out.allocated = heap.uordblks + heap.hblkhd;
  out.heap = heap.arena + heap.hblkhd;
  out.heap_free = heap.fordblks;
  uint64_t pages = 0;
  uint64_t resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  out.physical = resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  return out;
}

void memory_page(const Request&, AdminSource&, Reply& reply) {
  const ProcessMemory memory = process_memory();
  JsonWriter json;
  json.begin_map();
  json.number_text("allocated", memory.allocated);
  json.number_text("heap_size", memory.heap);
  json.number_text("pageheap_unmapped", 0);
  json.number_text("pageheap_free", memory.heap_free);
  json.number_text("total_thread_cache", 0);
  json.number_text("total_physical_bytes", memory.physical);
  std::map<std::string, int64_t> owners;  // accounts of one name (one for each worker) are one line
  for (const Owner::Account& account : Owner::accounts()) {
    owners[account.name] += account.bytes;
  }
  json.begin_map("owners");
  for (const auto& [name, bytes] : owners) {
    json.number_text(name, static_cast<uint64_t>(bytes));
  }
  json.end_map();
  json.end_map();
  reply.content_type = kJson;
  reply.body = json.take();
}

}  // namespace sluice::server::admin
