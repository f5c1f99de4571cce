package org.apache.hbase.thirdparty.io.netty.util;

import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

/**
 * The timer of HBase's client, which sleeps until something is due.
 *
 * <p>Netty's own class of this name turns its wheel every 10 ms, whether anything is due or not:
 * two such timers in each process that has a client. A call's timeout is kept in a heap here, which
 * costs more for each call and nothing between them.
 */
public class HashedWheelTimer implements Timer {
    private final ScheduledThreadPoolExecutor executor;
    /** Those that have neither run nor been cancelled. */
    private final Set<Due> pending = ConcurrentHashMap.newKeySet();

    /** The one constructor that HBase's client calls; tick and unit are of no use here. */
    public HashedWheelTimer(ThreadFactory threads, long tick, TimeUnit unit) {
        executor = new ScheduledThreadPoolExecutor(1, threads);
        executor.setRemoveOnCancelPolicy(true);
    }

    @Override
    public Timeout newTimeout(TimerTask task, long delay, TimeUnit unit) {
        Due due = new Due(task);
        pending.add(due);
        try {
            due.future = executor.schedule(due, delay, unit);
        } catch (RejectedExecutionException stopped) {
            pending.remove(due);
            throw new IllegalStateException("cannot be started once stopped", stopped);
        }
        if (due.isCancelled()) {  // by another thread, before its future was known
            due.future.cancel(false);
        }
        return due;
    }

    @Override
    public Set<Timeout> stop() {
        executor.shutdownNow();
        Set<Timeout> left = new HashSet<>(pending);
        pending.clear();
        return left;
    }

    /** How many have neither run nor been cancelled. */
    public long pendingTimeouts() {
        return pending.size();
    }

    private enum State { WAITING, CANCELLED, EXPIRED }

    private final class Due implements Timeout, Runnable {
        private final TimerTask task;
        private final AtomicReference<State> state = new AtomicReference<>(State.WAITING);
        private volatile ScheduledFuture<?> future;

        Due(TimerTask task) {
            this.task = task;
        }

        @Override
        public void run() {
            if (!state.compareAndSet(State.WAITING, State.EXPIRED)) {
                return;
            }
            pending.remove(this);
            try {
                task.run(this);
            } catch (Throwable fault) {  // as Netty's: the timer lives on
                Thread thread = Thread.currentThread();
                System.err.println("A timer's task failed in " + thread.getName() + ":");
                fault.printStackTrace();
            }
        }

        @Override
        public boolean cancel() {
            if (!state.compareAndSet(State.WAITING, State.CANCELLED)) {
                return false;
            }
            pending.remove(this);
            ScheduledFuture<?> known = future;
            if (known != null) {
                known.cancel(false);
            }
            return true;
        }

        @Override
        public Timer timer() {
            return HashedWheelTimer.this;
        }

        @Override
        public TimerTask task() {
            return task;
        }

        @Override
        public boolean isExpired() {
            return state.get() == State.EXPIRED;
        }

        @Override
        public boolean isCancelled() {
            return state.get() == State.CANCELLED;
        }
    }
}
