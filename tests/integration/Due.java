import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.hbase.thirdparty.io.netty.util.HashedWheelTimer;
import org.apache.hbase.thirdparty.io.netty.util.Timeout;

/** What HBase's client asks of its timer. Prints what came of it, a line for each. */
public class Due {
    public static void main(String[] arguments) throws Exception {
        HashedWheelTimer timer = new HashedWheelTimer(
            runnable -> new Thread(runnable, "the-timer"), 10, TimeUnit.MILLISECONDS);
        StringBuffer order = new StringBuffer();
        CountDownLatch all = new CountDownLatch(3);
        long begun = System.nanoTime();
        long[] took = new long[1];
        timer.newTimeout(timeout -> {
            order.append("b");
            all.countDown();
            throw new Exception("on purpose");
        }, 200, TimeUnit.MILLISECONDS);
        timer.newTimeout(timeout -> {
            order.append("c").append(timeout.isExpired()).append(timeout.cancel());
            took[0] = System.nanoTime() - begun;
            all.countDown();
        }, 400, TimeUnit.MILLISECONDS);
        timer.newTimeout(timeout -> {
            order.append("a").append(timeout.timer() == timer);
            all.countDown();
        }, 1, TimeUnit.MILLISECONDS);
        Timeout never = timer.newTimeout(timeout -> order.append("x"), 100, TimeUnit.MILLISECONDS);
        System.out.println("cancel " + never.cancel() + never.cancel() + never.isCancelled());
        all.await(30, TimeUnit.SECONDS);
        System.out.println("order " + order);
        System.out.println("early " + (took[0] < TimeUnit.MILLISECONDS.toNanos(400)));

        Timeout far = timer.newTimeout(timeout -> order.append("y"), 1, TimeUnit.HOURS);
        Thread.sleep(200);
        long before = switches();
        Thread.sleep(2000);
        System.out.println("woken " + (switches() - before));
        System.out.println("pending " + timer.pendingTimeouts());
        System.out.println("left " + timer.stop().contains(far));
        try {
            timer.newTimeout(timeout -> { }, 1, TimeUnit.SECONDS);
            System.out.println("stopped false");
        } catch (IllegalStateException expected) {
            System.out.println("stopped true");
        }
    }

    /** How often the timer's thread has gone to sleep. */
    private static long switches() throws Exception {
        try (DirectoryStream<Path> tasks = Files.newDirectoryStream(Path.of("/proc/self/task"))) {
            for (Path task : tasks) {
                if (Files.readString(task.resolve("comm")).startsWith("the-timer")) {
                    for (String line : Files.readAllLines(task.resolve("status"))) {
                        if (line.startsWith("voluntary_ctxt_switches:")) {
                            return Long.parseLong(line.replaceAll("[^0-9]", ""));
                        }
                    }
                }
            }
        }
        throw new IllegalStateException("there is no such thread");
    }
}
