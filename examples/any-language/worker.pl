#!/usr/bin/perl
# A worker written from docs/protocol.md alone: lines of JSON on the descriptor in PBT_FD.
# Unlike train.sh it lives as long as its trial does, and keeps the model in memory.
use strict;
use warnings;
use FindBin qw($Bin);
use JSON::PP;
use Sys::Hostname;
use Time::HiRes qw(time);

open my $pbt, '+<&=', $ENV{PBT_FD} or die "PBT_FD: $!";
my $json = JSON::PP->new->utf8->canonical;
my $exact = JSON::PP->new->utf8->allow_bignum;    # numbers go back as they came
my ($pending, $w, $b) = ('', 0, 0);
my ($epoch, $seq, $iteration, $until, $total, $config) = (0, 0, 0, 0, 0, {});

open my $file, '<', "$Bin/points.txt" or die "points.txt: $!";
my @points = map { [split] } <$file>;

sub say_to_pbt {
    my $line = $exact->encode({@_}) . "\n";
    while (length $line) {
        my $sent = syswrite $pbt, $line;
        exit 1 if !defined $sent;    # pbt is gone
        substr $line, 0, $sent, '';
    }
}

# One step of gradient descent; returns the loss before it.
sub train {
    my ($dw, $db, $loss) = (0, 0, 0);
    for (@points) {
        my ($x, $y) = @$_;
        my $p = 1 / (1 + exp(-$w * $x - $b));
        $loss -= log($y ? $p : 1 - $p) / @points;
        $dw += ($p - $y) * $x / @points;
        $db += ($p - $y) / @points;
    }
    $w -= $config->{lr} * $dw;
    $b -= $config->{lr} * $db;
    return $loss;
}

# Takes the commands that wait; with `block` it waits for one.
sub obey {
    my ($block, $running) = @_;
    while (1) {
        while ($pending =~ s/^(.*)\n//) {
            command($json->decode($1), $exact->decode($1)->{config}, $running);
            $block = 0 if $iteration < $until;
        }
        my $bits = '';
        vec($bits, fileno $pbt, 1) = 1;
        return if !select $bits, undef, undef, $block ? undef : 0;
        exit 1 if !sysread $pbt, $pending, 65536, length $pending;
    }
}

sub command {
    my ($c, $exact_config, $running) = @_;
    my $type = $c->{type};
    if ($type eq 'start' || $type eq 'load') {
        ($epoch, $seq, $total) = ($c->{epoch}, 0, $c->{time_total_s});
        $iteration = $until = $c->{iteration};
        if (defined $c->{checkpoint}) {    # first the weights,
            open my $in, '<', "$c->{checkpoint}/model.txt" or die "model.txt: $!";
            ($w, $b) = split ' ', <$in>;
        }
        $config = $c->{config};            # then the hyperparameters
        say_to_pbt(type => 'ready', epoch => $epoch, iteration => $iteration,
                   checkpoint => $c->{checkpoint}, config => $exact_config);
    } elsif ($c->{epoch} < $epoch) {
        return;                            # meant for an older life
    } elsif ($type eq 'run') {
        $until = $c->{until} if $c->{until} > $iteration;
    } elsif ($type eq 'save') {
        open my $out, '>', "$c->{path}/model.txt" or die "model.txt: $!";
        printf $out "%.17g %.17g\n", $w, $b;
        close $out or die "model.txt: $!";
        say_to_pbt(type => 'saved', epoch => $epoch, iteration => $iteration);
    } elsif ($type eq 'halt') {
        $until = $iteration;
        # In mid-run the result of this step is the answer.
        say_to_pbt(type => 'halted', epoch => $epoch, iteration => $iteration) if !$running;
    } elsif ($type eq 'stop') {
        exit 0;
    }
}

say_to_pbt(type => 'hello', protocol => 1, client => 'worker.pl', pid => $$ + 0,
           capabilities => ['reset_config'], host => hostname());
while (1) {
    if ($iteration >= $until) {
        obey(1, 0);
        next;
    }
    my $begin = time;
    my $loss = train();
    my $seconds = time - $begin;
    obey(0, 1);
    $iteration++;
    $total += $seconds;
    say_to_pbt(type => 'result', epoch => $epoch, seq => ++$seq, iteration => $iteration,
               halted => $iteration >= $until ? JSON::PP::true : JSON::PP::false,
               time_this_iter_s => $seconds, time_total_s => $total,
               metrics => {loss => $loss});
}
