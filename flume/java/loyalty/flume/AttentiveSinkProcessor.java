package loyalty.flume;

import java.lang.management.ManagementFactory;
import javax.management.JMException;
import javax.management.ObjectName;
import org.apache.flume.Context;
import org.apache.flume.EventDeliveryException;
import org.apache.flume.FlumeException;
import org.apache.flume.Sink;
import org.apache.flume.sink.AbstractSingleSinkProcessor;

/**
 * Asks its one sink again soon after it has found its channel empty.
 *
 * <p>Flume's runner sleeps for 1 second then, for 2 the next time and so on up to 5, whatever the
 * configuration: it does not hear of an empty channel from here. A sink that fails is still the
 * runner's affair. (HDFS's answers then what it answers to an empty channel; but it counts those.)
 *
 * <p>pauseStep: the milliseconds of the first pause, and by which each one after it is longer;
 * pauseMost: of the longest.
 */
public final class AttentiveSinkProcessor extends AbstractSingleSinkProcessor {
    private static final long STEP_MS = 250;
    private static final long MOST_MS = 1_000;

    private long step;
    private long most;
    private long pause;

    @Override
    public void configure(Context context) {
        step = context.getLong("pauseStep", STEP_MS);
        most = context.getLong("pauseMost", MOST_MS);
    }

    @Override
    public Sink.Status process() throws EventDeliveryException {
        long before = emptyBatches();
        Sink.Status status = sink.process();
        if (status == Sink.Status.READY || emptyBatches() == before) {
            pause = 0;
            return status;
        }
        pause = Math.min(pause + step, most);
        try {
            Thread.sleep(pause);
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
        return Sink.Status.READY;
    }

    /** How often the sink has found its channel empty, as it counts that itself. */
    private long emptyBatches() {
        try {
            ObjectName counter = new ObjectName("org.apache.flume.sink:type=" + sink.getName());
            return (Long) ManagementFactory.getPlatformMBeanServer()
                .getAttribute(counter, "BatchEmptyCount");
        } catch (JMException missing) {
            throw new FlumeException("sink " + sink.getName() + " has no counter", missing);
        }
    }
}
