package org.pikv4j.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

class WorkerTeamTest {

    @Test
    void everyItemRunsOnceInEveryJob() {
        for (int size : new int[] {1, 2, 5}) {
            try (WorkerTeam team = new WorkerTeam(size)) {
                AtomicIntegerArray counts = new AtomicIntegerArray(37);
                AtomicIntegerArray inside = new AtomicIntegerArray(size);
                for (int job = 1; job <= 3_000; job++) {
                    int items = job % 37 + 1;
                    team.run(items, (item, worker) -> {
                        assertThat(inside.incrementAndGet(worker)).isEqualTo(1);
                        counts.incrementAndGet(item);
                        inside.decrementAndGet(worker);
                    });
                    for (int i = 0; i < items; i++) {
                        assertThat(counts.getAndSet(i, 0)).isEqualTo(1);
                    }
                    if (job % 500 == 0) {
                        LockSupport.parkNanos(5_000_000); // long enough for the helpers to park
                    }
                }
            }
        }
    }

    @Test
    void anExceptionReachesTheCallerAndTheTeamGoesOn() {
        try (WorkerTeam team = new WorkerTeam(2)) {
            for (int i = 0; i < 50; i++) {
                assertThatThrownBy(() -> team.run(20, (item, worker) -> {
                            if (item == 7) {
                                throw new IllegalStateException("item 7");
                            }
                        }))
                        .hasMessage("item 7");
                team.run(5, (item, worker) -> {});
            }
        }
    }

    @Test
    void closingEndsItsThreads() {
        WorkerTeam team = new WorkerTeam(3);
        team.run(3, (item, worker) -> {});
        team.close();
        team.close();
        assertThat(Thread.getAllStackTraces().keySet().stream()
                        .filter(thread -> thread.getName().startsWith("pikv-worker"))
                        .filter(Thread::isAlive))
                .isEmpty();
    }
}
