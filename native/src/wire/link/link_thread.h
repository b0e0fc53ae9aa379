// Whether the calling thread is working on a message of this link right now.
#pragma once

namespace efl {

class LinkThread {
 public:
  explicit LinkThread(const void* link);
  ~LinkThread();
  LinkThread(const LinkThread&) = delete;
  LinkThread& operator=(const LinkThread&) = delete;

  static bool Inside(const void* link);

 private:
  const void* const outer_;
};

}  // namespace efl
