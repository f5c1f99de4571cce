-- Purpose:    members by gender and age group, with their spend.
-- Parameters: {day}  the newest snapshot up to this date, default today
-- Run:        ./loyalty sql --sample members_by_age
--
-- Age is counted in whole years on that date; without a date of birth the group is NULL. Buyers are
-- the members who have spent anything.
SELECT
  gender,
  age_group,
  COUNT(*) AS members,
  SUM(IF(spnd_amt > 0, 1, 0)) AS buyers,
  SUM(spnd_amt) AS spnd_amt
FROM (
  SELECT
    member.cust_gender AS gender,
    CASE
      WHEN age < 20 THEN '0-19'
      WHEN age < 30 THEN '20-29'
      WHEN age < 40 THEN '30-39'
      WHEN age < 50 THEN '40-49'
      WHEN age < 60 THEN '50-59'
      WHEN age >= 60 THEN '60+'
    END AS age_group,
    loyalty.spnd_amt
  FROM loyalty
  JOIN (
    SELECT
      cust_id,
      cust_gender,
      CAST(FLOOR(MONTHS_BETWEEN(DATE '{day}', cust_birth_dt) / 12) AS INT) AS age
    FROM customers_cln
  ) member ON member.cust_id = loyalty.cust_id
  WHERE loyalty.data_dt IN (SELECT MAX(data_dt) FROM loyalty WHERE data_dt <= DATE '{day}')
) aged
GROUP BY gender, age_group
ORDER BY gender, age_group;
