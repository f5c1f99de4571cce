package loyalty.flume;

import org.apache.flume.Context;
import org.apache.flume.EventDeliveryException;
import org.apache.flume.Sink;
import org.apache.flume.sink.AbstractSingleSinkProcessor;

/**
 * Asks its one sink again soon after it has found its channel empty.
 *
 * <p>Flume's runner sleeps for 1 second then, for 2 the next time and so on up to 5, whatever the
 * configuration: it never hears of an empty channel from here. A sink that fails by an exception is
 * still the runner's affair.
 *
 * <p>pauseStep: the milliseconds of the first pause, and by which each one after it is longer;
 * pauseMost: of the longest.
 */
public final class AttentiveSinkProcessor extends AbstractSingleSinkProcessor {
    private long step;
    private long most;
    private long pause;

    @Override
    public void configure(Context context) {
        step = context.getLong("pauseStep");
        most = context.getLong("pauseMost");
    }

    @Override
    public Sink.Status process() throws EventDeliveryException {
        if (sink.process() == Sink.Status.READY) {
            pause = 0;
            return Sink.Status.READY;
        }
        pause = Math.min(pause + step, most);
        try {
            Thread.sleep(pause);
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
        return Sink.Status.READY;
    }
}
